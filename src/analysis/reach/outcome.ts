import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { Chain } from "../../linux/netfilter/rules/rule-set.ts";
import type { TraceRequest } from "../../trace/request.ts";
import { send } from "../../trace/send.ts";
import type { Trace } from "../../trace/trace.ts";
import { type Branch, groupBranches, totalProbability } from "../explore/branching-chooser.ts";
import { toNumber } from "../explore/fraction.ts";
import { exploreNetwork, replayBranch } from "../explore/network.ts";
import { endingLines } from "../explore/trace-set.ts";
import { chainsEntered } from "./partition.ts";
import { type Probe, probe } from "./probe.ts";
import type { ReachReason } from "./result.ts";
import type { ReachSource } from "./source.ts";
import type { ReachTarget } from "./target.ts";

/** What comes of one sender's packets to one target, over all branches of chance. */
export interface Outcome {
  readonly delivered: number;
  readonly answered: number;
  readonly because: readonly ReachReason[];
  readonly branches: number;
  /** Every chain that a packet was led into. */
  readonly chains: ReadonlySet<Chain>;
}

export function outcomeOf(
  cluster: SimulatedCluster,
  source: ReachSource,
  target: ReachTarget,
  seed: number,
): Outcome {
  const { network } = cluster;
  const chains = new Set<Chain>();
  const act = (): Probe => {
    const seen = probe(source.netns, target);
    chainsEntered(network.journal!, chains);
    return seen;
  };
  const branches = exploreNetwork(network, act, { seed });
  const delivered = chanceOf(branches, (one) => one.delivered);
  const answered = chanceOf(branches, (one) => one.answered);
  const because = reasonsOf(
    cluster,
    branches.filter((one) => !one.outcome.answered),
    { from: source.names[0]!, to: target.to, protocol: target.protocol },
    seed,
  );
  return { delivered, answered, because, branches: branches.length, chains };
}

const chanceOf = (branches: readonly Branch<Probe>[], wanted: (probe: Probe) => boolean): number =>
  toNumber(totalProbability(branches.filter(({ outcome }) => wanted(outcome))));

/** Why packets or answers were lost in these branches, from whole traces; the likeliest first. */
function reasonsOf(
  cluster: SimulatedCluster,
  lost: readonly Branch<Probe>[],
  request: TraceRequest,
  seed: number,
): ReachReason[] {
  const { network } = cluster;
  const told = lost.map((branch) => ({
    ...branch,
    outcome: lossText(replayBranch(network, branch, () => send(cluster, request), { seed })),
  }));
  return groupBranches(told, (text) => text)
    .map(({ probability, outcome }) => ({ probability: toNumber(probability), text: outcome }))
    .sort((a, b) => b.probability - a.probability);
}

function lossText(trace: Trace): string {
  const bad = endingLines(trace).filter(({ good }) => !good);
  if (bad.length === 0) return "delivered, and nothing answers";
  return bad.map(({ label, text }) => `${label} ${text}`).join("; ");
}
