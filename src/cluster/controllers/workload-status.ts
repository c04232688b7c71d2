/** Statuses that controllers report: how many pods there are, are ready, are up to date. */
import type { DaemonSet, Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Pod, ReplicationController } from "kubernetes-types/core/v1.js";
import { isReady } from "../objects/pod.ts";
import { inKeyOrder, type KubernetesObject, namespaceOf, type ObjectStore } from "../objects/store.ts";
import type { Changes, ClusterState } from "./cluster-state.ts";
import { daemonNodes, daemonPods } from "./daemon-set.ts";
import { newReplicaSet, replicaSetsOf } from "./deployment.ts";
import { isControlledBy } from "./owner.ts";
import { isActive } from "./pod-deletion.ts";

/** One step over all workloads. */
export function reportStatuses({ store }: ClusterState): Changes {
  const pods = podsByNamespace(store);
  const put: KubernetesObject[] = [];
  const report = <T extends KubernetesObject & { status?: object }>(object: T, status: object): void => {
    if (JSON.stringify(object.status ?? {}) !== JSON.stringify(status)) put.push({ ...object, status } as T);
  };
  for (const one of inKeyOrder(store.replicationControllers)) report(one, replicaStatus(one, pods));
  for (const one of inKeyOrder(store.replicaSets)) report(one, replicaStatus(one, pods));
  for (const one of inKeyOrder(store.daemonSets)) report(one, daemonStatus(one, store));
  for (const one of inKeyOrder(store.deployments)) report(one, deploymentStatus(one, store));
  return { put, remove: [], events: [] };
}

function podsByNamespace(store: ObjectStore): Map<string, Pod[]> {
  const byNamespace = new Map<string, Pod[]>();
  for (const pod of store.pods.values()) {
    const list = byNamespace.get(namespaceOf(pod));
    if (list === undefined) byNamespace.set(namespaceOf(pod), [pod]);
    else list.push(pod);
  }
  return byNamespace;
}

function replicaStatus(owner: ReplicationController | ReplicaSet, pods: ReadonlyMap<string, Pod[]>): object {
  const own = (pods.get(namespaceOf(owner)) ?? []).filter(
    (pod) => isActive(pod) && isControlledBy(pod, owner),
  );
  const ready = own.filter(isReady).length;
  return {
    replicas: own.length,
    ...(own.length === 0 ? {} : { fullyLabeledReplicas: own.length }),
    ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
  };
}

function daemonStatus(daemonSet: DaemonSet, store: ObjectStore): object {
  const wanted = new Set(daemonNodes(daemonSet, store).map(({ metadata }) => metadata?.name ?? ""));
  const byNode = daemonPods(daemonSet, store);
  const scheduled = [...byNode].filter(([node]) => wanted.has(node));
  const ready = scheduled.filter(([, pods]) => pods.some(isReady)).length;
  return {
    currentNumberScheduled: scheduled.length,
    numberMisscheduled: byNode.size - scheduled.length,
    desiredNumberScheduled: wanted.size,
    numberReady: ready,
  };
}

function deploymentStatus(deployment: Deployment, store: ObjectStore): object {
  const all = replicaSetsOf(deployment, store);
  const current = newReplicaSet(deployment, all);
  const sum = (of: (one: ReplicaSet) => number | undefined) => all.reduce((n, one) => n + (of(one) ?? 0), 0);
  const replicas = sum(({ status }) => status?.replicas);
  const available = sum(({ status }) => status?.availableReplicas);
  const wanted = deployment.spec?.replicas ?? 1;
  return {
    replicas,
    updatedReplicas: current?.status?.replicas ?? 0,
    availableReplicas: available,
    ...(available < wanted ? { unavailableReplicas: wanted - available } : {}),
  };
}
