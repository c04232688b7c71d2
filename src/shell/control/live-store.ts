/** A topology's objects as a running cluster holds them: with uids, times, and the statuses that controllers go on from. */
import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { applyChanges, clusterState } from "../../cluster/controllers/cluster-state.ts";
import { timeText } from "../../cluster/controllers/moment.ts";
import { withConditions } from "../../cluster/controllers/pod-condition.ts";
import { withWorkloadDefaults } from "../../cluster/controllers/workload-defaults.ts";
import { isContainerReady, isTerminal, phaseOf } from "../../cluster/objects/pod.ts";
import {
  emptyStore,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  type ObjectStore,
} from "../../cluster/objects/store.ts";

/** Label of slices that controllers make: they are made anew at every change. */
const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

/** `epoch`: seconds since 1970 at which everything that does not say otherwise was made. */
export function liveStore(store: ObjectStore, epoch: number): ObjectStore {
  const objects: KubernetesObject[] = Object.values(store).flatMap(
    (map: ReadonlyMap<string, KubernetesObject>) => [...map.values()],
  );
  const kept = objects.filter(
    (one) => one.kind !== "EndpointSlice" || one.metadata?.labels?.[MANAGED_BY] === undefined,
  );
  const put = [
    ...namespaces(kept),
    ...kept.map((one) => (one.kind === "Pod" ? runningPod(one as Pod, epoch) : withWorkloadDefaults(one))),
  ];
  const written = applyChanges(clusterState(emptyStore(), epoch), { put, remove: [], events: [] });
  return withOwnerUids(written.store);
}

/** Every namespace that something lives in, and those that each cluster has. */
function namespaces(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const stated = new Set(objects.filter(({ kind }) => kind === "Namespace").map(nameOf));
  const used = new Set([
    "default",
    "kube-system",
    ...objects.filter((one) => one.metadata?.namespace).map(namespaceOf),
  ]);
  return [...used]
    .filter((name) => !stated.has(name))
    .map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
      status: { phase: "Active" },
    }));
}

/** A pod that the topology shows running is given the statuses that its kubelet would have reported. */
function runningPod(pod: Pod, epoch: number): Pod {
  const phase = phaseOf(pod);
  if (pod.spec?.nodeName === undefined || phase === "Unknown")
    return { ...pod, status: { ...pod.status, phase } };
  if (phase === "Pending" && pod.status?.podIP === undefined) return { ...pod, status: { phase } };
  const startTime = pod.status?.startTime ?? timeText(epoch);
  const containerStatuses = (pod.spec.containers ?? []).map(({ name, image = "" }): ContainerStatus => {
    const stated = pod.status?.containerStatuses?.find((one) => one.name === name);
    const ended = {
      terminated: {
        exitCode: phase === "Failed" ? 1 : 0,
        reason: ENDED[phase] ?? "Completed",
        startedAt: startTime,
        finishedAt: startTime,
      },
    };
    return {
      image,
      imageID: "",
      restartCount: 0,
      state: isTerminal(pod) ? ended : { running: { startedAt: startTime } },
      ...stated,
      name,
      ready: isContainerReady(pod, name),
    };
  });
  const complete: Pod = { ...pod, status: { ...pod.status, phase, startTime, containerStatuses } };
  const isUnready = containerStatuses.some(({ ready }) => !ready);
  return isTerminal(pod) || isUnready ? complete : withConditions(complete, epoch);
}

const ENDED: Readonly<Record<string, string>> = { Succeeded: "Completed", Failed: "Error" };

/** References to owners that the topology names get their uids. */
function withOwnerUids(store: ObjectStore): ObjectStore {
  const uids = new Map<string, string>();
  for (const map of Object.values(store) as ReadonlyMap<string, KubernetesObject>[])
    for (const one of map.values())
      uids.set(`${one.kind}/${namespaceOf(one)}/${nameOf(one)}`, one.metadata?.uid ?? "");
  const owned = <T extends KubernetesObject>(object: T): T => {
    const references = object.metadata?.ownerReferences;
    if (references === undefined) return object;
    const ownerReferences = references.map((one) => ({
      ...one,
      uid: uids.get(`${one.kind}/${namespaceOf(object)}/${one.name}`) ?? one.uid,
    }));
    return { ...object, metadata: { ...object.metadata, ownerReferences } };
  };
  return {
    ...store,
    pods: new Map([...store.pods].map(([key, pod]) => [key, owned(pod)])),
    replicaSets: new Map([...store.replicaSets].map(([key, one]) => [key, owned(one)])),
  };
}
