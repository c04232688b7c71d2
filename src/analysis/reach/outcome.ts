import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { Chain } from "../../linux/netfilter/rules/rule-set.ts";
import { type Branch, totalProbability } from "../explore/branching-chooser.ts";
import { toNumber } from "../explore/fraction.ts";
import { exploreNetwork } from "../explore/network.ts";
import { exploreTrace } from "../explore/trace-set.ts";
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
  const because = answered === 1 ? [] : reasonsOf(cluster, source, target, seed);
  return { delivered, answered, because, branches: branches.length, chains };
}

const chanceOf = (branches: readonly Branch<Probe>[], wanted: (probe: Probe) => boolean): number =>
  toNumber(totalProbability(branches.filter(({ outcome }) => wanted(outcome))));

/** Why packets or answers were lost, from whole traces. */
function reasonsOf(
  cluster: SimulatedCluster,
  { names }: ReachSource,
  { to, protocol }: ReachTarget,
  seed: number,
): ReachReason[] {
  const { outcomes } = exploreTrace(cluster, { from: names[0]!, to, protocol }, { seed });
  return outcomes
    .filter(({ lines }) => !lines.some(({ label, good }) => label === "reply" && good))
    .map(({ probability, lines }) => {
      const bad = lines.filter(({ good }) => !good).map(({ label, text }) => `${label} ${text}`);
      return { probability, text: bad.length === 0 ? "delivered, and nothing answers" : bad.join("; ") };
    });
}
