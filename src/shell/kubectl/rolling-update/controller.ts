/** ReplicationControllers as a rolling update reads and writes them. */
import { createHash } from "node:crypto";
import type { Pod, ReplicationController } from "kubernetes-types/core/v1.js";
import { matchesLabels } from "../../../cluster/controllers/label-selector.ts";
import { keyOf, namespaceOf } from "../../../cluster/objects/store.ts";
import type { Call } from "../call.ts";

/** The controller of that name as it is now, or null. */
export function controllerNamed(call: Call, name: string): ReplicationController | null {
  return call.store.replicationControllers.get(`${call.namespace}/${name}`) ?? null;
}

/** As it is now; the given one when it has gone meanwhile. */
export const fresh = (call: Call, controller: ReplicationController): ReplicationController =>
  call.store.replicationControllers.get(keyOf(controller)) ?? controller;

export const replicasOf = ({ spec }: ReplicationController): number => spec?.replicas ?? 1;
export const readyOf = ({ status }: ReplicationController): number => status?.readyReplicas ?? 0;

/** The controller with some fields of its spec changed. */
export const withSpec = (
  controller: ReplicationController,
  changes: NonNullable<ReplicationController["spec"]>,
): ReplicationController => ({ ...controller, spec: { ...controller.spec, ...changes } });

/** The controller with annotations set, and those taken away whose value is null. */
export function annotated(
  controller: ReplicationController,
  changes: Readonly<Record<string, string | null>>,
): ReplicationController {
  const annotations = { ...controller.metadata?.annotations };
  for (const [key, value] of Object.entries(changes))
    if (value === null) delete annotations[key];
    else annotations[key] = value;
  return { ...controller, metadata: { ...controller.metadata, annotations } };
}

/** The pods that a selector matches in the controller's namespace. */
export function podsMatching(
  call: Call,
  controller: ReplicationController,
  selector: Record<string, string>,
): Pod[] {
  return [...call.store.pods.values()].filter(
    (pod) =>
      namespaceOf(pod) === namespaceOf(controller) && matchesLabels(selector, pod.metadata?.labels ?? {}),
  );
}

/** `HashObject`: MD5 of the object as JSON, 32 hexadecimal digits. */
export const hashOf = (controller: ReplicationController): string =>
  createHash("md5").update(JSON.stringify(controller)).digest("hex");
