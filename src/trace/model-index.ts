import type { Service } from "kubernetes-types/core/v1.js";
import type { ClusterModel, PodModel } from "../cluster/objects/model.ts";

/** Finds pods and Services of a model by name. Made once a model: a cluster may have thousands, and many packets are traced. */
export interface ModelIndex {
  /** The pod `NAMESPACE/NAME` that has a sandbox. */
  pod(namespace: string, name: string): PodModel | undefined;
  /** The pod whose sandbox has that name among the namespaces. */
  podOfNetns(netns: string): PodModel | undefined;
  /** Pods in the network of a node itself. */
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
  const byName = firstByKey(pods, ({ namespace, name }) => `${namespace}/${name}`);
  const byNetns = firstByKey(
    pods.filter(({ hostNetwork }) => !hostNetwork),
    netnsOfPod,
  );
  const byNode = new Map<string, PodModel[]>();
  for (const pod of pods) {
    if (!pod.hostNetwork) continue;
    const known = byNode.get(pod.nodeName);
    if (known === undefined) byNode.set(pod.nodeName, [pod]);
    else known.push(pod);
  }
  const servicesByName = firstByKey(
    services,
    ({ metadata }) => `${metadata?.namespace ?? "default"}/${metadata?.name ?? ""}`,
  );
  return {
    pod: (namespace, name) => byName.get(`${namespace}/${name}`),
    podOfNetns: (netns) => byNetns.get(netns),
    hostPods: (node) => byNode.get(node) ?? [],
    service: (namespace, name) => servicesByName.get(`${namespace}/${name}`),
  };
}

function firstByKey<T>(all: readonly T[], key: (one: T) => string): Map<string, T> {
  const found = new Map<string, T>();
  for (const one of all) if (!found.has(key(one))) found.set(key(one), one);
  return found;
}
