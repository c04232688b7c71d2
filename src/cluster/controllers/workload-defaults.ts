/** What the API server of 2017 fills in where a workload does not say (`SetDefaults_*` of v1 and extensions/v1beta1). */
import type { DaemonSet, Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Job } from "kubernetes-types/batch/v1.js";
import type { ReplicationController } from "kubernetes-types/core/v1.js";
import { defaultReplicationController } from "../objects/replication-controller.ts";
import { type KubernetesObject, nameOf } from "../objects/store.ts";

/** The object with its defaults; one that is no workload as it is. */
export function withWorkloadDefaults(object: KubernetesObject): KubernetesObject {
  switch (object.kind) {
    case "ReplicationController":
      return defaultReplicationController(object as ReplicationController);
    case "ReplicaSet":
    case "Deployment":
    case "DaemonSet":
      return defaultWorkload(object as ReplicaSet | Deployment | DaemonSet);
    case "Job":
      return defaultJob(object as Job);
    default:
      return object;
  }
}

/** One replica; labels and selector from the template's labels. */
export function defaultWorkload<T extends ReplicaSet | Deployment | DaemonSet>(object: T): T {
  const labels = object.spec?.template?.metadata?.labels ?? {};
  const counts = object.kind === "DaemonSet" ? {} : { replicas: (object as ReplicaSet).spec?.replicas ?? 1 };
  return {
    ...object,
    metadata: { ...object.metadata, labels: object.metadata?.labels ?? labels },
    spec: { ...object.spec, ...counts, selector: object.spec?.selector ?? { matchLabels: labels } },
  };
}

/** One pod at a time, and one completion where nothing is said of either; labels and selector from the template. */
export function defaultJob(object: Job): Job {
  const { template = {}, selector, ...spec } = object.spec ?? ({} as NonNullable<Job["spec"]>);
  const isUnset = spec.completions === undefined && spec.parallelism === undefined;
  const labels = template.metadata?.labels ?? { "job-name": nameOf(object) };
  return {
    ...object,
    metadata: { ...object.metadata, labels: object.metadata?.labels ?? labels },
    spec: {
      ...spec,
      ...(isUnset ? { completions: 1 } : {}),
      parallelism: spec.parallelism ?? 1,
      selector: selector ?? { matchLabels: labels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
