/** Small Kubernetes objects for controller tests. */
import type { Node, Pod, PodSpec, Service, ServiceSpec } from "kubernetes-types/core/v1.js";
import { defaultService } from "../../../src/cluster/objects/service.ts";
import { emptyStore, keyOf, nameOf, type ObjectStore } from "../../../src/cluster/objects/store.ts";

export const node = (name: string, more: Node = {}): Node => ({
  apiVersion: "v1",
  kind: "Node",
  ...more,
  metadata: { name, ...more.metadata },
});

export const pod = (name: string, spec: Partial<PodSpec> = {}, more: Pod = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  ...more,
  metadata: { name, namespace: "default", ...more.metadata },
  spec: { containers: [{ name: "c" }], ...spec },
});

export const service = (name: string, spec: ServiceSpec = {}): Service =>
  defaultService({ metadata: { name, namespace: "default" }, spec: { ports: [{ port: 80 }], ...spec } });

/** A store of the given objects, by kind. */
export function storeOf(
  objects: { [K in keyof ObjectStore]?: (ObjectStore[K] extends Map<string, infer T> ? T : never)[] },
): ObjectStore {
  const store = emptyStore();
  for (const [kind, list] of Object.entries(objects))
    for (const object of list)
      (store[kind as keyof ObjectStore] as Map<string, object>).set(
        kind === "nodes" ? nameOf(object) : keyOf(object),
        object,
      );
  return store;
}
