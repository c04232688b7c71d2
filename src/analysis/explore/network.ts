import type { Chooser } from "../../linux/chooser.ts";
import type { Network } from "../../linux/network.ts";
import { answersOf, type Branch, type ExploreOptions, exploreBranches } from "./branching-chooser.ts";

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
  return exploreBranches((branching) => actBy(network, branching, act), options);
}

/** Acts once more as in a branch of an exploration with the same options, on the same network. */
export const replayBranch = <Outcome>(
  network: Network,
  branch: Branch<unknown>,
  act: () => Outcome,
  options: ExploreOptions = {},
): Outcome => actBy(network, answersOf(branch, options), act);

/** Acts with another chance than the network's own, and puts everything back. */
function actBy<Outcome>(network: Network, branching: Chooser, act: () => Outcome): Outcome {
  const { chooser } = network;
  network.chooser = branching;
  try {
    network.checkpoint();
    try {
      return act();
    } finally {
      network.rollback();
    }
  } finally {
    network.chooser = chooser;
  }
}
