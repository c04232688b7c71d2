/**
 * ReplicationController and ReplicaSet on a live cluster (`pkg/controller/replication`, `pkg/controller/replicaset`): so
 * many active pods that match the selector. Pods without a controller that match are adopted, own ones that no longer
 * match are released.
 */
import type { ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Pod, PodTemplateSpec, ReplicationController } from "kubernetes-types/core/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { inKeyOrder, type KubernetesObject, nameOf, namespaceOf } from "../objects/store.ts";
import { type Changes, type ClusterState, together } from "./cluster-state.ts";
import type { EventNote } from "./event.ts";
import { matchesSelector } from "./label-selector.ts";
import { adopted, controllerOf, isControlledBy, released } from "./owner.ts";
import { deletePod, deletionOrder, isActive } from "./pod-deletion.ts";
import { indexPods, type PodIndex, selectPods } from "./pod-index.ts";
import { podFromTemplate } from "./pod-template.ts";

/** One who wants so many pods. */
interface Replicator {
  owner: KubernetesObject;
  selector: LabelSelector;
  template: PodTemplateSpec;
  replicas: number;
  component: string;
}

/** One step of both controllers. */
export function syncReplicas({ store, now }: ClusterState): Changes {
  const index = indexPods(store.pods.values());
  const all = [
    ...inKeyOrder(store.replicationControllers).map(ofController),
    ...inKeyOrder(store.replicaSets).map(ofReplicaSet),
  ];
  return together(all.map((one) => syncOne(one, index, now)));
}

function ofController(owner: ReplicationController): Replicator {
  const { replicas = 1, selector = {}, template = {} } = owner.spec ?? {};
  return {
    owner,
    selector: { matchLabels: selector },
    template,
    replicas,
    component: "replication-controller",
  };
}

function ofReplicaSet(owner: ReplicaSet): Replicator {
  const { replicas = 1, selector = {}, template = {} } = owner.spec ?? {};
  return { owner, selector, template, replicas, component: "replicaset-controller" };
}

function syncOne(one: Replicator, index: PodIndex, now: number): Changes {
  const { owner, selector } = one;
  const release: Pod[] = [];
  const adopt: Pod[] = [];
  const own: Pod[] = [];
  for (const pod of index.get(namespaceOf(owner))?.all ?? [])
    if (isControlledBy(pod, owner) && !matchesSelector(selector, pod.metadata?.labels ?? {}))
      release.push(released(pod));
  for (const pod of selectPods(index, namespaceOf(owner), selector)) {
    if (!isActive(pod)) continue;
    if (isControlledBy(pod, owner)) own.push(pod);
    else if (controllerOf(pod) === null) {
      adopt.push(adopted(pod, owner));
      own.push(adopt.at(-1)!);
    }
  }
  const kept = { put: [...release, ...adopt], remove: [], events: [] };
  return together([kept, manageReplicas(one, own, now)]);
}

/** `manageReplicas`: creates what is missing, deletes what is too much. */
function manageReplicas(
  { owner, template, replicas, component }: Replicator,
  own: Pod[],
  now: number,
): Changes {
  if (owner.metadata?.deletionTimestamp !== undefined) return together([]);
  const missing = replicas - own.length;
  if (missing >= 0)
    return {
      put: Array.from({ length: missing }, () => podFromTemplate(owner, template)),
      remove: [],
      events: [],
    };
  const surplus = deletionOrder(own).slice(0, -missing);
  const events = surplus.map((pod): EventNote => {
    const message = `Deleted pod: ${nameOf(pod)}`;
    return { about: owner, type: "Normal", reason: "SuccessfulDelete", message, component };
  });
  return together([...surplus.map((pod) => deletePod(pod, now)), { put: [], remove: [], events }]);
}
