/** What kubectl calls the kinds, and how it finds their objects. */
import { type KubernetesObject, nameOf, namespaceOf, type ObjectStore } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";

/** A kind as kubectl knows it. `group` stands after the plural in errors. */
export interface Resource {
  readonly kind: string;
  readonly store: keyof ObjectStore;
  readonly singular: string;
  readonly plural: string;
  readonly short: readonly string[];
  readonly namespaced: boolean;
  readonly group: string;
  /** API group and version of new objects. */
  readonly apiVersion: string;
}

function resource(
  kind: string,
  store: keyof ObjectStore,
  plural: string,
  short: readonly string[],
  apiVersion = "v1",
  namespaced = true,
): Resource {
  const group = apiVersion.includes("/") ? `.${apiVersion.split("/")[0]}` : "";
  return { kind, store, singular: kind.toLowerCase(), plural, short, namespaced, group, apiVersion };
}

/** Every kind, in the order in which `kubectl get all` shows them. */
export const RESOURCES: readonly Resource[] = [
  resource("Node", "nodes", "nodes", ["no"], "v1", false),
  resource("Namespace", "namespaces", "namespaces", ["ns"], "v1", false),
  resource("ConfigMap", "configMaps", "configmaps", ["cm"]),
  resource("Deployment", "deployments", "deployments", ["deploy"], "extensions/v1beta1"),
  resource("DaemonSet", "daemonSets", "daemonsets", ["ds"], "extensions/v1beta1"),
  resource("ReplicationController", "replicationControllers", "replicationcontrollers", ["rc"]),
  resource("ReplicaSet", "replicaSets", "replicasets", ["rs"], "extensions/v1beta1"),
  resource("Job", "jobs", "jobs", [], "extensions/v1beta1"),
  resource("Service", "services", "services", ["svc"]),
  resource("Endpoints", "endpoints", "endpoints", ["ep"]),
  resource("EndpointSlice", "endpointSlices", "endpointslices", [], "discovery.k8s.io/v1"),
  resource("Pod", "pods", "pods", ["po"]),
];

/** What `kubectl get all` and `kubectl delete all` mean. */
const ALL = ["Deployment", "ReplicationController", "ReplicaSet", "Job", "Service", "Pod"];

/** The kinds that a word such as `rc`, `pods,svc` or `all` means. Throws CommandError for a kind nobody knows. */
export function resourcesOf(text: string): Resource[] {
  return text.split(",").flatMap((word) => {
    if (word === "all") return RESOURCES.filter(({ kind }) => ALL.includes(kind));
    const found = RESOURCES.find(
      ({ singular, plural, short }) =>
        singular === word.toLowerCase() ||
        plural === word.toLowerCase() ||
        short.includes(word.toLowerCase()),
    );
    if (found === undefined)
      throw new CommandError(`error: the server doesn't have a resource type "${word}"`);
    return [found];
  });
}

/** The kind of an object. */
export function resourceOf(object: KubernetesObject): Resource {
  const found = RESOURCES.find(({ kind }) => kind === object.kind);
  if (found === undefined) throw new CommandError(`error: no kind "${object.kind}" is registered`);
  return found;
}

/** `replicationcontroller "x"`: how messages name an object. */
export const titleOf = (object: KubernetesObject): string =>
  `${resourceOf(object).singular} "${nameOf(object)}"`;

/** Every object of a kind, in order of namespace and name. */
export function listObjects(
  store: ObjectStore,
  { store: map }: Resource,
  namespace: string | null,
): KubernetesObject[] {
  const all = [...(store[map] as ReadonlyMap<string, KubernetesObject>).entries()];
  return all
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, object]) => object)
    .filter((object) => namespace === null || namespaceOf(object) === namespace);
}

/** The object of that name. Throws CommandError in the API server's words when there is none. */
export function findObject(
  store: ObjectStore,
  resource: Resource,
  namespace: string,
  name: string,
): KubernetesObject {
  const key = resource.namespaced ? `${namespace}/${name}` : name;
  const found = (store[resource.store] as ReadonlyMap<string, KubernetesObject>).get(key);
  if (found === undefined)
    throw new CommandError(
      `Error from server (NotFound): ${resource.plural}${resource.group} "${name}" not found`,
    );
  return found;
}
