import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { Partition } from "./partition.ts";
import type { Traced } from "./result.ts";
import type { ReachSource, SourceGroup } from "./source.ts";
import type { ReachTarget } from "./target.ts";

interface Known {
  readonly target: ReachSource;
  readonly outcome: Outcome;
}

/**
 * Outcomes, each found once for pods that are equal as targets: pods of one group whose listeners are alike and whom no
 * chain on the way tells apart. Who is not answered always is traced for its own reasons.
 */
export class Outcomes {
  readonly traced: Traced = { flows: 0, branches: 0 };
  private readonly cluster: SimulatedCluster;
  private readonly seed: number;
  private readonly podsByAddress = new Map<number, { pod: ReachSource; partition: Partition; key: string }>();
  private readonly known = new Map<ReachSource, Map<string, Known[]>>();

  constructor(
    cluster: SimulatedCluster,
    senders: readonly { readonly group: SourceGroup; readonly partition: Partition }[],
    seed: number,
  ) {
    this.cluster = cluster;
    this.seed = seed;
    senders.forEach(({ group, partition }, i) => {
      for (const pod of group.sources)
        if (pod.address !== null)
          this.podsByAddress.set(pod.address, { pod, partition, key: `${i} ${listenersOf(pod)}` });
    });
  }

  of(source: ReachSource, target: ReachTarget): Outcome {
    const there = this.podsByAddress.get(target.address);
    if (there === undefined || there.pod === source) return this.find(source, target);
    const key = `${target.protocol} ${target.port} ${there.key}`;
    let bySource = this.known.get(source);
    if (bySource === undefined) {
      bySource = new Map();
      this.known.set(source, bySource);
    }
    const known = bySource.get(key) ?? [];
    for (const { target: other, outcome } of known)
      if (there.partition.alike(other, [there.pod], outcome.chains).length > 0) return outcome;
    const outcome = this.find(source, target);
    if (outcome.answered === 1) bySource.set(key, [...known, { target: there.pod, outcome }]);
    return outcome;
  }

  private find(source: ReachSource, target: ReachTarget): Outcome {
    const outcome = outcomeOf(this.cluster, source, target, this.seed);
    this.traced.flows++;
    this.traced.branches += outcome.branches;
    return outcome;
  }
}

const listenersOf = ({ netns }: ReachSource): string =>
  netns.sockets.listeners
    .map(({ protocol, address, port, respondBytes }) => `${protocol} ${address} ${port} ${respondBytes}`)
    .sort()
    .join(",");
