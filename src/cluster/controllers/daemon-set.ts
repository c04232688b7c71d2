/**
 * The DaemonSet controller on a live cluster, as it was before 1.6 (`pkg/controller/daemon`): a pod on every node whose
 * labels and taints allow it, whether the node takes other pods or not. Pods count by the selector alone, whoever made
 * them.
 */
import type { DaemonSet } from "kubernetes-types/apps/v1.js";
import type { Node, Pod } from "kubernetes-types/core/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { inKeyOrder, nameOf, namespaceOf, type ObjectStore } from "../objects/store.ts";
import { type Changes, type ClusterState, together } from "./cluster-state.ts";
import { unfitReason } from "./node-fit.ts";
import { deletePod, isActive } from "./pod-deletion.ts";
import { indexPods, selectPods } from "./pod-index.ts";
import { podFromTemplate } from "./pod-template.ts";
import { withDaemonTolerations } from "./replication.ts";

/** One step over all DaemonSets. */
export function syncDaemonSets({ store, now }: ClusterState): Changes {
  return together(inKeyOrder(store.daemonSets).map((daemonSet) => syncOne(daemonSet, store, now)));
}

/** The selector, or the template's labels where extensions/v1beta1 leaves it out. */
export function daemonSelector({ spec }: DaemonSet): LabelSelector {
  return spec?.selector ?? { matchLabels: spec?.template?.metadata?.labels ?? {} };
}

/** The nodes that a DaemonSet wants a pod on. */
export function daemonNodes(daemonSet: DaemonSet, store: ObjectStore): Node[] {
  const spec = withDaemonTolerations(daemonSet.spec?.template?.spec ?? { containers: [] });
  return inKeyOrder(store.nodes).filter((node) => unfitReason(spec, node) === null);
}

/** A DaemonSet's active pods by node. */
export function daemonPods(daemonSet: DaemonSet, store: ObjectStore): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>();
  const index = indexPods(store.pods.values());
  for (const pod of selectPods(index, namespaceOf(daemonSet), daemonSelector(daemonSet))) {
    const node = pod.spec?.nodeName;
    if (node === undefined || !isActive(pod)) continue;
    byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  return byNode;
}

function syncOne(daemonSet: DaemonSet, store: ObjectStore, now: number): Changes {
  if (daemonSet.metadata?.deletionTimestamp !== undefined) return together([]);
  const template = daemonSet.spec?.template ?? {};
  const wanted = daemonNodes(daemonSet, store).map(nameOf);
  const byNode = daemonPods(daemonSet, store);
  const spec = withDaemonTolerations(template.spec ?? { containers: [] });
  const put = wanted
    .filter((node) => !byNode.has(node))
    .map((node) => podFromTemplate(daemonSet, { ...template, spec }, node));
  const surplus = [...byNode].flatMap(([node, pods]) => (wanted.includes(node) ? pods.slice(1) : pods));
  return together([{ put, remove: [], events: [] }, ...surplus.map((pod) => deletePod(pod, now))]);
}
