/**
 * What a real cluster draws at random, decided in advance: ConfigMap `podpath-draws` of a namespace. Its keys are
 * `pods.OWNER` (or `pods.NAME`) with words `SUFFIX`, `SUFFIX=ADDRESS` or `=ADDRESS`, used one after the other, and
 * `services.NAME` with a ClusterIP and node ports. `taken` are ranges `FIRST-LAST` of addresses that containers hold which
 * no Kubernetes object shows. What is not said there follows from names.
 */
import { toNumber, toText } from "../objects/address.ts";
import type { ObjectStore } from "../objects/store.ts";

/** Name of the ConfigMap. */
const DRAWS = "podpath-draws";

function words(store: ObjectStore, namespace: string, key: string): string[] {
  const text = store.configMaps.get(`${namespace}/${DRAWS}`)?.data?.[key] ?? "";
  return text.split(/\s+/).filter((word) => word !== "");
}

/** The suffixes of an owner's pods, in the order in which the pods are made. */
export function drawnSuffixes(store: ObjectStore, namespace: string, owner: string): string[] {
  return words(store, namespace, `pods.${owner}`).map((word) => word.split("=")[0] ?? "");
}

/** The address that a pod shall have, or null. */
export function drawnAddress(store: ObjectStore, namespace: string, pod: string): string | null {
  for (const word of words(store, namespace, `pods.${pod}`)) if (word.startsWith("=")) return word.slice(1);
  const dash = pod.lastIndexOf("-");
  if (dash < 0) return null;
  const suffix = pod.slice(dash + 1);
  for (const word of words(store, namespace, `pods.${pod.slice(0, dash)}`)) {
    const [name, address] = word.split("=");
    if (name === suffix && address !== undefined) return address;
  }
  return null;
}

/** A Service's ClusterIP (null where none is said) and its node ports, port by port. */
export function drawnServiceNumbers(
  store: ObjectStore,
  namespace: string,
  service: string,
): { clusterIP: string | null; nodePorts: number[] } {
  const all = words(store, namespace, `services.${service}`);
  return {
    clusterIP: all.find((word) => word.includes(".")) ?? null,
    nodePorts: all.filter((word) => !word.includes(".")).map(Number),
  };
}

/** The addresses that are taken by containers which are no pods. */
export function takenAddresses(store: ObjectStore, namespace: string): string[] {
  return words(store, namespace, "taken").flatMap((range) => {
    const [first = "", last = first] = range.split("-");
    const base = toNumber(first);
    return Array.from({ length: toNumber(last) - base + 1 }, (_, i) => toText(base + i));
  });
}
