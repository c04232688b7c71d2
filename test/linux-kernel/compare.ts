import type { Seen } from "./step.ts";

/** Where two runs of a situation differ: one line each, what the kernel showed first. */
export function differences(kernel: Seen, simulated: Seen): string[] {
  const lines: string[] = [];
  kernel.steps.forEach((step, i) => {
    const other = simulated.steps[i]!;
    if (step.errno !== other.errno)
      lines.push(`step ${i + 1} errno: kernel ${step.errno} podpath ${other.errno}`);
    lines.push(...listDifference(`step ${i + 1} connections`, step.connections, other.connections));
    const places = new Set([...Object.keys(step.frames), ...Object.keys(other.frames)]);
    for (const place of [...places].sort())
      lines.push(...listDifference(`step ${i + 1} ${place}`, step.frames[place], other.frames[place]));
  });
  for (const name of Object.keys(kernel.conntrack)) {
    lines.push(...listDifference(`${name} conntrack`, kernel.conntrack[name], simulated.conntrack[name]));
    lines.push(...listDifference(`${name} counters`, kernel.counters[name], simulated.counters[name]));
  }
  return lines;
}

function listDifference(where: string, a: readonly string[] = [], b: readonly string[] = []): string[] {
  if (a.length === b.length && a.every((line, i) => line === b[i])) return [];
  const show = (lines: readonly string[]) => lines.map((line) => `\n      ${line}`).join("") || " -";
  return [`${where}\n    kernel:${show(a)}\n    podpath:${show(b)}`];
}
