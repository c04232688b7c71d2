import { createHash } from "node:crypto";
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { API_VERSION } from "../../trace/trace.ts";
import type { Outcome } from "./outcome.ts";
import { Outcomes } from "./outcomes.ts";
import { Partition } from "./partition.ts";
import { ClassList, type Reach, type ReachRow, type Traced } from "./result.ts";
import { type ReachSource, type SourceGroup, sourceGroups } from "./source.ts";
import { type ReachTarget, reachTargets } from "./target.ts";
import { warmUp } from "./warm-up.ts";

interface Sender {
  readonly group: SourceGroup;
  readonly partition: Partition;
}

/**
 * A cluster made ready to be asked about some of its targets, as often as one likes. What it says of a target depends on
 * nothing that it was asked before, so any targets can be done anywhere.
 */
export class Survey {
  readonly targets: readonly ReachTarget[];
  private readonly cluster: SimulatedCluster;
  private readonly seed: number;
  private readonly senders: readonly Sender[];
  private readonly outcomes: Outcomes;
  private readonly digest: string;

  /** A cluster that was just built is made one that has been up for a while; another is taken as it is. */
  constructor(cluster: SimulatedCluster, seed: number) {
    this.cluster = cluster;
    this.seed = seed;
    this.targets = reachTargets(cluster.model);
    this.senders = sourceGroups(cluster).map((group) => ({ group, partition: new Partition(group) }));
    if (cluster.network.clock.nowUs === 0) warmUp(cluster);
    this.outcomes = new Outcomes(cluster, this.senders, seed);
    this.digest = digestOf(this.senders, this.targets);
  }

  /** How much work has been done so far. */
  get traced(): Traced {
    return this.outcomes.traced;
  }

  /** Rows of these targets, by their numbers, in that order. `onTarget` is called after each. */
  report(ordinals: readonly number[], onTarget: () => void = () => {}): Reach {
    const classes = new ClassList();
    const rows: ReachRow[] = [];
    for (const ordinal of ordinals) {
      const target = this.targets[ordinal]!;
      for (const sender of this.senders)
        for (const { members, outcome } of classesTo(target, sender, this.outcomes)) {
          const { delivered, answered, because } = outcome;
          const { to, kind, of, protocol } = target;
          const from = classes.number(members.flatMap(({ names }) => names));
          rows.push({ target: ordinal, to, kind, of, protocol, from, delivered, answered, because });
        }
      onTarget();
    }
    return {
      apiVersion: API_VERSION,
      kind: "Reach",
      cluster: this.cluster.model.name,
      seed: this.seed,
      digest: this.digest,
      shard: null,
      targets: this.targets.length,
      classes: classes.all,
      rows,
    };
  }
}

function digestOf(senders: readonly Sender[], targets: readonly ReachTarget[]): string {
  const names = senders.flatMap(({ group }) => group.sources.map((source) => source.names));
  return createHash("sha256")
    .update(JSON.stringify([names, targets]))
    .digest("hex");
}

/** A group's members by what comes of their packets to a target. The target itself is like nobody. */
function classesTo(
  target: ReachTarget,
  { group, partition }: Sender,
  outcomes: Outcomes,
): { members: readonly ReachSource[]; outcome: Outcome }[] {
  const found: { members: readonly ReachSource[]; outcome: Outcome }[] = [];
  let waiting: readonly ReachSource[] = group.sources;
  while (waiting.length > 0) {
    const [first] = waiting;
    const outcome = outcomes.of(first!, target);
    const others = waiting.filter(({ address }) => address !== target.address);
    const alike = first!.address === target.address ? [] : partition.alike(first!, others, outcome.chains);
    const members = new Set([first!, ...alike]);
    found.push({ members: [...members], outcome });
    waiting = waiting.filter((one) => !members.has(one));
  }
  return found;
}
