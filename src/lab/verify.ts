import { Distribution, type DistributionReport } from "./distribution.ts";
import type { PlannedFlow } from "./random-flow.ts";
import type { LabSession, VerifiedFlow } from "./session.ts";

/** A flow in which the worlds differ, time and again. */
export interface DifferingFlow {
  readonly flow: PlannedFlow;
  /** What was sent before it and is remembered, oldest first. */
  readonly after: readonly PlannedFlow[];
  /** What was changed since then. */
  readonly changed: readonly string[];
  readonly verified: VerifiedFlow;
}

export interface VerifyReport {
  readonly flows: number;
  readonly differing: readonly DifferingFlow[];
  /** Flows that differed once, and not when they were sent again. */
  readonly unsteady: readonly DifferingFlow[];
  readonly distribution: DistributionReport;
  /** By kind of destination, protocol and verdict. */
  readonly seen: ReadonlyMap<string, number>;
  /** The time was up before all flows were sent. */
  readonly cutShort: boolean;
}

export interface VerifyOptions {
  readonly flows: Iterable<PlannedFlow>;
  readonly limit: number;
  /** `performance.now()` at which no further flow is begun. */
  readonly deadlineMs: number;
  readonly onFlow?: (count: number) => void;
  /** May change both worlds before a flow; what it did, in words, or null. */
  readonly change?: () => Promise<string | null>;
}

/** A chance match of less than this would be a fault of the probabilities, not of luck. */
export const LEAST_P = 0.001;

/**
 * Sends flows in both worlds and gathers where they differ. A flow that differs is sent again, with what it builds on:
 * only what differs then too is a difference; the rest is told of as unsteady.
 */
export async function verifyFlows(session: LabSession, options: VerifyOptions): Promise<VerifyReport> {
  const { flows, limit, deadlineMs, onFlow, change } = options;
  const distribution = new Distribution();
  const differing: DifferingFlow[] = [];
  const unsteady: DifferingFlow[] = [];
  const seen = new Map<string, number>();
  let [count, cutShort] = [0, false];
  let chain: PlannedFlow[] = [];
  let changed: string[] = [];
  const send = async (flow: PlannedFlow): Promise<void> => {
    if (!flow.keep) [chain, changed] = [[], []];
    const verified = await session.verify(flow.request, { keep: flow.keep });
    distribution.add(verified.kernelRecord, session.chainRules);
    const key = `${flow.kind}, ${flow.request.protocol}: ${verified.kernel.verdict}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    if (verified.differences.length > 0) {
      // what was changed on the way cannot be done again
      const again = changed.length > 0 ? verified : await resend(session, [...chain, flow]);
      const found = { flow, after: chain, changed };
      if (again.differences.length > 0) differing.push({ ...found, verified: again });
      else unsteady.push({ ...found, verified });
    }
    chain = [...chain, flow];
    count++;
    onFlow?.(count);
  };
  for (const flow of flows) {
    cutShort = performance.now() > deadlineMs;
    if (count >= limit || cutShort) break;
    const what = (await change?.()) ?? null;
    if (what !== null && chain.length > 0) {
      changed = [...changed, what];
      // how what stands fares under the change
      await send({ ...chain.at(-1)!, keep: true });
    }
    await send(flow);
  }
  return { flows: count, differing, unsteady, distribution: distribution.report(), seen, cutShort };
}

/** A chain of flows from a fresh start; what its last came to. */
async function resend(session: LabSession, chain: readonly PlannedFlow[]): Promise<VerifiedFlow> {
  let last: VerifiedFlow | undefined;
  for (const [i, { request }] of chain.entries()) last = await session.verify(request, { keep: i > 0 });
  return last!;
}

/** Does all of a report hold? */
export const holds = ({ differing, distribution }: VerifyReport): boolean =>
  differing.length === 0 && distribution.p > LEAST_P;
