/** The API server's objects, by kind and key: what controllers read and write. */
import type { DaemonSet, Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Job } from "kubernetes-types/batch/v1.js";
import type {
  ConfigMap,
  Endpoints,
  Namespace,
  Node,
  Pod,
  ReplicationController,
  Service,
} from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import type { ObjectMeta } from "kubernetes-types/meta/v1.js";

/** What every Kubernetes object has. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** Objects by {@link keyOf}; cluster-wide kinds by name. */
export interface ObjectStore {
  nodes: Map<string, Node>;
  namespaces: Map<string, Namespace>;
  configMaps: Map<string, ConfigMap>;
  pods: Map<string, Pod>;
  services: Map<string, Service>;
  endpoints: Map<string, Endpoints>;
  endpointSlices: Map<string, EndpointSlice>;
  replicationControllers: Map<string, ReplicationController>;
  replicaSets: Map<string, ReplicaSet>;
  deployments: Map<string, Deployment>;
  daemonSets: Map<string, DaemonSet>;
  jobs: Map<string, Job>;
}

/** A store without objects. */
export function emptyStore(): ObjectStore {
  return {
    nodes: new Map(),
    namespaces: new Map(),
    configMaps: new Map(),
    pods: new Map(),
    services: new Map(),
    endpoints: new Map(),
    endpointSlices: new Map(),
    replicationControllers: new Map(),
    replicaSets: new Map(),
    deployments: new Map(),
    daemonSets: new Map(),
    jobs: new Map(),
  };
}

/** Name of an object; validated objects have one. */
export function nameOf(object: KubernetesObject): string {
  return object.metadata?.name ?? "";
}

/** Namespace of a namespaced object; `default` when it does not say. */
export function namespaceOf(object: KubernetesObject): string {
  return object.metadata?.namespace ?? "default";
}

/** `NAMESPACE/NAME`, the key of a namespaced object. */
export function keyOf(object: KubernetesObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`;
}

/** The values of a map in the order of their keys' code units, the order every list of the model has. */
export function inKeyOrder<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map.keys()].sort().map((key) => map.get(key) as T);
}

/** Says that a field of an object is wrong. `path` as in {@link formatPath}. */
export type Report = (object: KubernetesObject, path: readonly (string | number)[], text: string) => void;
