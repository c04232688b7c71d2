/** Who controls an object (`metav1.GetControllerOf`). */
import type { OwnerReference } from "kubernetes-types/meta/v1.js";
import { type KubernetesObject, nameOf } from "../objects/store.ts";

/** The controller's reference, or null. */
export function controllerOf(object: KubernetesObject): OwnerReference | null {
  return object.metadata?.ownerReferences?.find(({ controller }) => controller === true) ?? null;
}

/** True when `owner` controls the object; a reference without a uid counts by kind and name. */
export function isControlledBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  const controller = controllerOf(object);
  if (controller === null || controller.kind !== owner.kind || controller.name !== nameOf(owner))
    return false;
  return controller.uid === "" || controller.uid === undefined || controller.uid === owner.metadata?.uid;
}

/** A reference that makes `owner` the controller. */
export function controllerReference(owner: KubernetesObject): OwnerReference {
  const { apiVersion = "v1", kind = "", metadata } = owner;
  return { apiVersion, kind, name: nameOf(owner), uid: metadata?.uid ?? "", controller: true };
}

/** The object with `owner` as its controller. */
export function adopted<T extends KubernetesObject>(object: T, owner: KubernetesObject): T {
  const ownerReferences = [...(object.metadata?.ownerReferences ?? []), controllerReference(owner)];
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}

/** The object without a controller. */
export function released<T extends KubernetesObject>(object: T): T {
  const { ownerReferences: all = [], ...metadata } = object.metadata ?? {};
  const others = all.filter(({ controller }) => controller !== true);
  return {
    ...object,
    metadata: others.length === 0 ? metadata : { ...metadata, ownerReferences: others },
  };
}
