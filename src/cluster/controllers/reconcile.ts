/** All controllers together: step after step until nobody has anything to change at this moment. */

import { bindPods } from "./binding.ts";
import { applyChanges, type Changes, type ClusterState, isNothing } from "./cluster-state.ts";
import { syncDaemonSets } from "./daemon-set.ts";
import { syncDeployments } from "./deployment.ts";
import { syncJobs } from "./job.ts";
import { type KubeletSettings, syncPods } from "./pod-lifecycle.ts";
import { syncReplicas } from "./replicas.ts";
import { reportStatuses } from "./workload-status.ts";

const STEPS: readonly ((state: ClusterState, settings: KubeletSettings) => Changes)[] = [
  syncDeployments,
  syncReplicas,
  syncDaemonSets,
  syncJobs,
  bindPods,
  syncPods,
  reportStatuses,
];

/** Rounds after which controllers are taken to work against each other. */
const MOST_ROUNDS = 10_000;

/**
 * The state in which every controller is content for now. Throws Error when there is none (two controllers that undo
 * each other's work).
 */
export function reconcile(state: ClusterState, settings: KubeletSettings): ClusterState {
  let current = state;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = current;
    for (const step of STEPS) {
      const changes = step(current, settings);
      if (!isNothing(changes)) current = applyChanges(current, changes);
    }
    if (current === before) return current;
  }
  throw new Error("the controllers do not come to rest");
}
