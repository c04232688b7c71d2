/**
 * Who reaches whom in a cluster, and with what probability:
 *
 *   every target ─┬─ every sender that the network can tell from others ─┬─ every branch of chance
 *                 └─ …                                                   └─ …
 *
 * Each packet goes into the same network: its undo log puts it back after each branch. So no result depends on another,
 * and any part of the work can be done anywhere.
 */
import { createHash } from "node:crypto";
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { API_VERSION } from "../../trace/trace.ts";
import type { Outcome } from "./outcome.ts";
import { Outcomes } from "./outcomes.ts";
import { Partition } from "./partition.ts";
import { ClassList, type Reach, type ReachRow, type Shard, type Traced } from "./result.ts";
import { type ReachSource, type SourceGroup, sourceGroups } from "./source.ts";
import { type ReachTarget, reachTargets } from "./target.ts";
import { warmUp } from "./warm-up.ts";

export interface ReachOptions {
  /** Settles the ports that stand for all others. */
  readonly seed?: number;
  /** Does every `count`-th target, beginning with number `index`. */
  readonly shard?: Shard;
  /** Called after each target. */
  readonly onProgress?: (done: number, total: number) => void;
}

interface Sender {
  readonly group: SourceGroup;
  readonly partition: Partition;
}

/**
 * Sends from everybody to everything. A cluster that was just built is made one that has been up for a while first, and
 * stays so; one that has seen packets is taken as it is, and every pod for itself.
 */
export function reach(
  cluster: SimulatedCluster,
  options: ReachOptions = {},
): { result: Reach; traced: Traced } {
  const { seed = 1, shard = { index: 0, count: 1 }, onProgress = () => {} } = options;
  const targets = reachTargets(cluster.model).map((target, ordinal) => ({ target, ordinal }));
  const mine = targets.filter(({ ordinal }) => ordinal % shard.count === shard.index);
  const senders = sourceGroups(cluster).map((group) => ({ group, partition: new Partition(group) }));
  if (cluster.network.clock.nowUs === 0) warmUp(cluster);
  const outcomes = new Outcomes(cluster, senders, seed);
  const classes = new ClassList();
  const rows: ReachRow[] = [];
  mine.forEach(({ target, ordinal }, done) => {
    for (const sender of senders) {
      for (const { members, outcome } of classesTo(target, sender, outcomes)) {
        const { delivered, answered, because } = outcome;
        const { to, kind, of, protocol } = target;
        const from = classes.number(members.flatMap(({ names }) => names));
        rows.push({ target: ordinal, to, kind, of, protocol, from, delivered, answered, because });
      }
    }
    onProgress(done + 1, mine.length);
  });
  const result: Reach = {
    apiVersion: API_VERSION,
    kind: "Reach",
    cluster: cluster.model.name,
    seed,
    digest: digestOf(senders, targets),
    shard: shard.count === 1 ? null : shard,
    targets: targets.length,
    classes: classes.all,
    rows,
  };
  return { result, traced: outcomes.traced };
}

function digestOf(senders: readonly Sender[], targets: readonly { readonly target: ReachTarget }[]): string {
  const names = senders.flatMap(({ group }) => group.sources.map((source) => source.names));
  return createHash("sha256")
    .update(JSON.stringify([names, targets.map(({ target }) => target)]))
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
