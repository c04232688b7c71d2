import type { Service } from "kubernetes-types/core/v1.js";
import type { ClusterModel, PodModel } from "./model.ts";

/** Finds pods and Services of a model by name. Made once a model: a cluster may have thousands, and many packets are traced. */
export interface ModelIndex {
  /** The pod `NAMESPACE/NAME` that has a sandbox. */
  pod(namespace: string, name: string): PodModel | undefined;
  /** The pod whose sandbox has that name among the namespaces. */
  podOfNetns(netns: string): PodModel | undefined;
  /** Pods of a node, in the model's order. */
  podsOn(node: string): readonly PodModel[];
  /** Those in the network of the node itself. */
  hostPods(node: string): readonly PodModel[];
  service(namespace: string, name: string): Service | undefined;
}

/** The name of a pod's namespace: its own, or its node's when it shares that. */
export const netnsOfPod = (pod: PodModel): string =>
  pod.hostNetwork ? pod.nodeName : `${pod.nodeName}/${pod.namespace}/${pod.name}`;

const indexes = new WeakMap<ClusterModel, ModelIndex>();

export function indexOfModel(model: ClusterModel): ModelIndex {
  let index = indexes.get(model);
  if (index === undefined) {
    index = makeIndex(model);
    indexes.set(model, index);
  }
  return index;
}

function makeIndex({ pods, services }: ClusterModel): ModelIndex {
  const byName = new Names<PodModel>();
  const byNode = new Map<string, PodModel[]>();
  for (const pod of pods) {
    byName.add(pod.namespace, pod.name, pod);
    const known = byNode.get(pod.nodeName);
    if (known === undefined) byNode.set(pod.nodeName, [pod]);
    else known.push(pod);
  }
  const servicesByName = new Names<Service>();
  for (const service of services)
    servicesByName.add(service.metadata?.namespace ?? "default", service.metadata?.name ?? "", service);
  return {
    pod: (namespace, name) => byName.get(namespace, name),
    // by the node first: names are one cluster's own, but collected nodes may be of several
    podOfNetns: (netns) =>
      byNode.get(netns.slice(0, Math.max(0, netns.indexOf("/"))))?.find((pod) => netnsOfPod(pod) === netns),
    podsOn: (node) => byNode.get(node) ?? [],
    hostPods: (node) => (byNode.get(node) ?? []).filter(({ hostNetwork }) => hostNetwork),
    service: (namespace, name) => servicesByName.get(namespace, name),
  };
}

/** Things by namespace and name; the first of two counts. */
class Names<T> {
  private readonly namespaces = new Map<string, Map<string, T>>();

  add(namespace: string, name: string, one: T): void {
    let names = this.namespaces.get(namespace);
    if (names === undefined) {
      names = new Map();
      this.namespaces.set(namespace, names);
    }
    if (!names.has(name)) names.set(name, one);
  }

  get(namespace: string, name: string): T | undefined {
    return this.namespaces.get(namespace)?.get(name);
  }
}
