/** Pods by namespace and label, so that a selector looks at few of them however many there are. */
import type { Pod } from "kubernetes-types/core/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { namespaceOf } from "../objects/store.ts";
import { type Labels, matchesSelector } from "./label-selector.ts";

interface NamespaceIndex {
  all: Pod[];
  byLabel: Map<string, Pod[]>;
}

/** See {@link indexPods}. */
export type PodIndex = ReadonlyMap<string, NamespaceIndex>;

/** Indexes pods; {@link selectPods} gives them back in the order they came in. */
export function indexPods(pods: Iterable<Pod>): PodIndex {
  const index = new Map<string, NamespaceIndex>();
  for (const pod of pods) {
    const namespace = namespaceOf(pod);
    let entry = index.get(namespace);
    if (entry === undefined) {
      entry = { all: [], byLabel: new Map() };
      index.set(namespace, entry);
    }
    entry.all.push(pod);
    for (const [key, value] of Object.entries(pod.metadata?.labels ?? {})) {
      const pair = `${key}=${value}`;
      const bucket = entry.byLabel.get(pair);
      if (bucket === undefined) entry.byLabel.set(pair, [pod]);
      else bucket.push(pod);
    }
  }
  return index;
}

/** The pods of a namespace that a selector matches. */
export function selectPods(index: PodIndex, namespace: string, selector: LabelSelector): Pod[] {
  const entry = index.get(namespace);
  if (entry === undefined) return [];
  let candidates = entry.all;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const bucket = entry.byLabel.get(`${key}=${value}`) ?? [];
    if (bucket.length < candidates.length) candidates = bucket;
  }
  return candidates.filter((pod) => matchesSelector(selector, labelsOf(pod)));
}

/** Labels of a pod. */
function labelsOf(pod: Pod): Labels {
  return pod.metadata?.labels ?? {};
}
