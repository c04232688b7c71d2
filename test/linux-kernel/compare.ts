import type { Plan } from "../linux/lab.ts";
import type { Seen, StepSeen } from "./step.ts";

/** Where two runs of a situation differ: one line each, what the kernel showed first. */
export function differences(plan: Plan, kernel: Seen, simulated: Seen): string[] {
  const lines: string[] = [];
  const bridges = bridgeTaps(plan);
  kernel.steps.forEach((seen, i) => {
    const step = withoutSource(seen, bridges);
    const other = withoutSource(simulated.steps[i]!, bridges);
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

const bridgeTaps = (plan: Plan): string[] =>
  Object.entries(plan.namespaces).flatMap(([ns, part]) =>
    Object.keys(part.bridges ?? {}).map((name) => `${ns}:${name} tx`),
  );

/**
 * br_nf_dev_xmit puts the sender's MAC back into a frame that a packet socket on the bridge has got already, but not
 * read: which of the two it reads is chance.
 */
function withoutSource(step: StepSeen, taps: readonly string[]): StepSeen {
  const frames = { ...step.frames };
  for (const tap of taps)
    if (frames[tap] !== undefined) frames[tap] = frames[tap].map((line) => line.replace(/^\S+>/, "*>"));
  return { ...step, frames };
}

function listDifference(where: string, a: readonly string[] = [], b: readonly string[] = []): string[] {
  if (a.length === b.length && a.every((line, i) => line === b[i])) return [];
  const show = (lines: readonly string[]) => lines.map((line) => `\n      ${line}`).join("") || " -";
  return [`${where}\n    kernel:${show(a)}\n    podpath:${show(b)}`];
}
