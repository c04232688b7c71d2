/**
 * Who reaches whom in a cluster, and with what probability:
 *
 *   every target ─┬─ every sender that the network can tell from others ─┬─ every branch of chance
 *                 └─ …                                                   └─ …
 *
 * Each packet goes into the same network: its undo log puts it back after each branch. So no result depends on another,
 * and any part of the work can be done anywhere.
 */
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { Reach, Shard, Traced } from "./result.ts";
import { Survey } from "./survey.ts";

export interface ReachOptions {
  /** Settles the ports that stand for all others. */
  readonly seed?: number;
  /** Does every `count`-th target, beginning with number `index`. */
  readonly shard?: Shard;
  /** Called as targets are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

export const WHOLE: Shard = { index: 0, count: 1 };

/** The numbers of a shard's targets, of so many in all. */
export const ordinalsOf = (targets: number, { index, count }: Shard): number[] =>
  Array.from({ length: targets }, (_, ordinal) => ordinal).filter((ordinal) => ordinal % count === index);

/**
 * Sends from everybody to everything. A cluster that was just built is made one that has been up for a while first, and
 * stays so; one that has seen packets is taken as it is, and every pod for itself.
 */
export function reach(
  cluster: SimulatedCluster,
  options: ReachOptions = {},
): { result: Reach; traced: Traced } {
  const { seed = 1, shard = WHOLE, onProgress = () => {} } = options;
  const survey = new Survey(cluster, seed);
  const mine = ordinalsOf(survey.targets.length, shard);
  let done = 0;
  const result = survey.report(mine, () => onProgress(++done, mine.length));
  return { result: { ...result, shard: shard.count === 1 ? null : shard }, traced: survey.traced };
}
