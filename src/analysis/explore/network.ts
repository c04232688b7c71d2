import type { Network } from "../../linux/network.ts";
import { type Branch, type ExploreOptions, exploreBranches } from "./branching-chooser.ts";

/**
 * Acts once for every branch of chance on one network, which is put back after each by its undo log: all branches begin
 * from the same connections, neighbours, counters and time, and none leaves a trace.
 *
 * @throws TooManyBranchesError when there are more branches than `maxBranches`.
 */
export function exploreNetwork<Outcome>(
  network: Network,
  act: () => Outcome,
  options: ExploreOptions = {},
): Branch<Outcome>[] {
  const { chooser } = network;
  try {
    return exploreBranches((branching) => {
      network.chooser = branching;
      network.checkpoint();
      try {
        return act();
      } finally {
        network.rollback();
      }
    }, options);
  } finally {
    network.chooser = chooser;
  }
}
