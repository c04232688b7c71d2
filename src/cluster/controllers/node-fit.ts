/** May a pod stand on a node: the scheduler's filters that depend on nothing but pod and node. */
import type { Node, PodSpec, Taint, Toleration } from "kubernetes-types/core/v1.js";
import { nameOf } from "../objects/store.ts";
import { matchesLabels, meets } from "./label-selector.ts";

/** Taint of a node that is `spec.unschedulable` (`v1.TaintNodeUnschedulable`). */
const UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable";

/** Why the pod may not stand on the node, in kube-scheduler's words, or null when it may. */
export function unfitReason(spec: PodSpec, node: Node): string | null {
  const tolerations = spec.tolerations ?? [];
  if (
    node.spec?.unschedulable === true &&
    !tolerates(tolerations, { key: UNSCHEDULABLE_TAINT, effect: "NoSchedule" })
  )
    return "node(s) were unschedulable";
  if (!matchesNodeSelector(spec, node)) return "node(s) didn't match Pod's node affinity/selector";
  const taint = node.spec?.taints?.find(
    (one) => one.effect !== "PreferNoSchedule" && !tolerates(tolerations, one),
  );
  if (taint === undefined) return null;
  return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
}

/** `nodeSelector` and required node affinity (`nodeaffinity.GetRequiredNodeAffinity`). */
function matchesNodeSelector(spec: PodSpec, node: Node): boolean {
  const labels = { ...ownLabels(node), ...node.metadata?.labels };
  if (!matchesLabels(spec.nodeSelector ?? {}, labels)) return false;
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    if (!matchExpressions.every((requirement) => meets(requirement, labels))) return false;
    return matchFields.every((requirement) => meets(requirement, { "metadata.name": nameOf(node) }));
  });
}

/** What every kubelet says of its node by labels (`pkg/kubelet/kubelet_node_status.go: initialNode`; `beta.` until 1.13). */
const ownLabels = (node: Node): Record<string, string> => ({
  "kubernetes.io/hostname": nameOf(node),
  "kubernetes.io/os": "linux",
  "kubernetes.io/arch": "amd64",
  "beta.kubernetes.io/os": "linux",
  "beta.kubernetes.io/arch": "amd64",
});

/** `Toleration.ToleratesTaint` for any of the tolerations. */
function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some(({ key = "", operator = "Equal", value = "", effect = "" }) => {
    if (effect !== "" && effect !== taint.effect) return false;
    if (key !== "" && key !== taint.key) return false;
    if (operator === "Exists") return true;
    return key !== "" && value === (taint.value ?? "");
  });
}
