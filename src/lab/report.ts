import type { Difference } from "./compare/difference.ts";
import { frameLine } from "./compare/frame-line.ts";
import type { PlannedFlow } from "./random-flow.ts";
import type { FlowRecord } from "./record.ts";
import { type DifferingFlow, holds, LEAST_P, type VerifyReport } from "./verify.ts";

/** A flow in words: `tcp pod → 1.2.3.4:80 from port 10501, ttl 3, 20 bytes`. */
function flowText({ request, keep, kind }: PlannedFlow): string {
  const { protocol, from, destination, port, sourcePort, ttl, size, discovery } = request;
  const to = protocol === "icmp" ? destination : `${destination}:${port}`;
  const parts = [
    `${protocol === "icmp" ? "id" : "from port"} ${sourcePort}`,
    ...(ttl === undefined ? [] : [`ttl ${ttl}`]),
    `${size} bytes`,
    ...(protocol === "tcp" ? [] : [`pmtudisc ${discovery}`]),
    ...(keep ? ["after what went before"] : []),
  ];
  return `${protocol} ${from} → ${to} (${kind}; ${parts.join(", ")})`;
}

/** The two sides of a difference, one below the other, line by line. */
function differenceText({ field, kernel, podpath }: Difference): string {
  const side = (name: string, text: string): string =>
    text
      .split("\n")
      .map((line, i) => `      ${i === 0 ? name.padEnd(8) : "".padEnd(8)}${line}`)
      .join("\n");
  return `    ${field}\n${side("kernel", kernel)}\n${side("podpath", podpath)}`;
}

function differingText({ flow, after, changed, verified }: DifferingFlow): string {
  return [
    `  ${flowText(flow)}: kernel ${verified.kernel.verdict}, podpath ${verified.podpath.verdict}`,
    ...after.map((before) => `    after ${flowText(before)}`),
    ...changed.map((change) => `    and ${change}`),
    ...verified.differences.map(differenceText),
  ].join("\n");
}

/** What a verification came to, for people. */
export function reportText(report: VerifyReport): string {
  const { flows, differing, unsteady, distribution, seen, cutShort } = report;
  const lines: string[] = [];
  if (differing.length > 0)
    lines.push("Different in the kernel and here:", ...differing.map(differingText), "");
  if (unsteady.length > 0)
    lines.push("Different once, and not when sent again:", ...unsteady.map(differingText), "");
  const { choices, chains, p, statistic, freedom } = distribution;
  if (chains > 0)
    lines.push(
      `random endpoints: ${choices} choices, ${chains} chains held against their probabilities: ` +
        `χ² ${statistic.toFixed(1)} with ${freedom} degrees of freedom, p ${p.toPrecision(3)}` +
        (p > LEAST_P ? "" : ` (less than ${LEAST_P}: not by chance)`),
    );
  const verdicts = new Map<string, number>();
  for (const [key, count] of seen) {
    const verdict = key.slice(key.lastIndexOf(" ") + 1);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + count);
  }
  lines.push([...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(", "));
  lines.push(
    `${flows - differing.length} of ${flows} flows equal${unsteady.length > 0 ? `, ${unsteady.length} of them only when sent again` : ""}${cutShort ? "; the time was up" : ""}`,
  );
  return `${lines.join("\n")}\n`;
}

/** The same for programs: every difference with all that was seen of its flow. */
export function reportJson(report: VerifyReport, about: Readonly<Record<string, unknown>>): unknown {
  const { flows, differing, unsteady, distribution, seen, cutShort } = report;
  return {
    apiVersion: "podpath.dev/v1alpha1",
    kind: "LabVerification",
    ...about,
    equal: holds(report),
    flows,
    cutShort,
    seen: Object.fromEntries(seen),
    distribution,
    differing: differing.map(differingJson),
    unsteady: unsteady.map(differingJson),
  };
}

function differingJson({ flow, after, changed, verified }: DifferingFlow) {
  const { kernel, podpath, differences, kernelRecord, podpathRecord } = verified;
  return {
    flow,
    after,
    changed,
    differences,
    kernel: { ...kernel, ...recordJson(kernelRecord) },
    podpath: { ...podpath, ...recordJson(podpathRecord) },
  };
}

function recordJson({ frames, sender, receivers, conntrack, counts }: FlowRecord) {
  return {
    sender,
    receivers,
    conntrack,
    rules: counts,
    frames: frames.map((frame) => ({
      netns: frame.netns,
      device: frame.device,
      direction: frame.direction,
      time_us: frame.timeUs,
      packet: frameLine(frame),
    })),
  };
}
