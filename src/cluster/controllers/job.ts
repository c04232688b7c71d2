/**
 * The Job controller on a live cluster (`pkg/controller/job` of 1.5): so many pods at a time until enough have succeeded.
 * A pod that fails is replaced without limit.
 */
import type { Job } from "kubernetes-types/batch/v1.js";
import type { Pod } from "kubernetes-types/core/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { phaseOf } from "../objects/pod.ts";
import { inKeyOrder, namespaceOf } from "../objects/store.ts";
import { type Changes, type ClusterState, NO_CHANGES, together } from "./cluster-state.ts";
import { timeText } from "./moment.ts";
import { deletePod, isActive } from "./pod-deletion.ts";
import { indexPods, type PodIndex, selectPods } from "./pod-index.ts";
import { podFromTemplate } from "./pod-template.ts";

/** One step over all Jobs. */
export function syncJobs({ store, now }: ClusterState): Changes {
  const index = indexPods(store.pods.values());
  return together(inKeyOrder(store.jobs).map((job) => syncOne(job, index, now)));
}

/** The selector, or the template's labels. */
export function jobSelector({ spec }: Job): LabelSelector {
  return spec?.selector ?? { matchLabels: spec?.template?.metadata?.labels ?? {} };
}

/** How many of a Job's pods run, have succeeded and have failed. */
function jobCounts(job: Job, index: PodIndex): { active: Pod[]; succeeded: number; failed: number } {
  const pods = selectPods(index, namespaceOf(job), jobSelector(job));
  return {
    active: pods.filter(isActive),
    succeeded: Math.max(
      pods.filter((pod) => phaseOf(pod) === "Succeeded").length,
      job.status?.succeeded ?? 0,
    ),
    failed: pods.filter((pod) => phaseOf(pod) === "Failed").length,
  };
}

function syncOne(job: Job, index: PodIndex, now: number): Changes {
  const { parallelism = 1, completions, suspend = false, template = {} } = job.spec ?? {};
  const { active, succeeded, failed } = jobCounts(job, index);
  if (job.metadata?.deletionTimestamp !== undefined || job.status?.completionTime !== undefined)
    return NO_CHANGES;
  const done = completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions;
  const status = {
    startTime: job.status?.startTime ?? timeText(now),
    ...(done ? { completionTime: timeText(now), conditions: [COMPLETE] } : {}),
    ...(active.length > 0 && !done ? { active: active.length } : {}),
    ...(succeeded > 0 ? { succeeded } : {}),
    ...(failed > 0 ? { failed } : {}),
  };
  const changed = JSON.stringify(status) !== JSON.stringify(job.status ?? {});
  const updated: Job = { ...job, status };
  const kept: Changes = changed ? { put: [updated], remove: [], events: [] } : NO_CHANGES;
  const missing =
    completions === undefined ? (succeeded > 0 ? active.length : parallelism) : completions - succeeded;
  const wanted = done || suspend ? 0 : Math.max(0, Math.min(parallelism, missing));
  const put = Array.from({ length: Math.max(0, wanted - active.length) }, () =>
    podFromTemplate(job, template),
  );
  const surplus = active.slice(0, Math.max(0, active.length - wanted));
  return together([kept, { put, remove: [], events: [] }, ...surplus.map((pod) => deletePod(pod, now))]);
}

const COMPLETE = { type: "Complete", status: "True" };
