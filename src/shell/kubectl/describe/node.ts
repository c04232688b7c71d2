import type { Node } from "kubernetes-types/core/v1.js";
import { isTerminal } from "../../../cluster/objects/pod.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../cluster/objects/store.ts";
import { longTime } from "../age.ts";
import type { Call } from "../call.ts";
import { describedEvents } from "../events.ts";
import { labelLines } from "./fields.ts";

/** `describeNode`, as far as a simulated machine has what it tells. */
export function describeNode(call: Call, object: KubernetesObject): string {
  const { spec, status, metadata } = object as Node;
  const taints = (spec?.taints ?? []).map(({ key, value, effect }) => `${key}=${value ?? ""}:${effect}`);
  const addresses = (status?.addresses ?? []).map(({ address }) => address);
  const pods = [...call.store.pods.values()].filter(
    (pod) => pod.spec?.nodeName === nameOf(object) && !isTerminal(pod),
  );
  return [
    `Name:\t${nameOf(object)}\n${labelLines("Labels", metadata?.labels)}`,
    `Taints:\t${taints.length === 0 ? "<none>" : taints.join(",")}\n`,
    `CreationTimestamp:\t${longTime(metadata?.creationTimestamp)}\n`,
    `Phase:\t\nConditions:\n  Type\tStatus\n  ----\t------\n  Ready \tTrue \n`,
    `Addresses:\t${addresses.join(",")}\n`,
    spec?.podCIDR === undefined ? "" : `PodCIDR:\t${spec.podCIDR}\n`,
    `Unschedulable:\t${spec?.unschedulable === true}\n`,
    `Non-terminated Pods:\t(${pods.length} in total)\n  Namespace\tName\n  ---------\t----\n`,
    ...pods.map((pod) => `  ${namespaceOf(pod)}\t${nameOf(pod)}\n`),
    describedEvents(call, object),
  ].join("");
}
