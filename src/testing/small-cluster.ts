import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { buildNetwork } from "../cluster/build/network.ts";
import { loadTopology } from "../topology/load/load.ts";
import { type ClusterSpec, toDocuments } from "./spec.ts";

export interface BuildOptions {
  /** Seed of everything random on packets' way; 1 when left out. */
  readonly seed?: number;
  /** Changes every node's rules (iptables-save text) before they are loaded: for planting faults. */
  readonly mutateRules?: (rules: string, node: string) => string;
}

/** The spec as a topology: one JSON document a line, which is YAML too. */
export const topologyText = (spec: ClusterSpec): string =>
  toDocuments(spec)
    .map((document) => JSON.stringify(document))
    .join("\n---\n");

/**
 * Builds the simulated cluster of a spec.
 *
 * @throws TopologyError when the spec is no valid topology (a pod on a node that is not there).
 */
export function buildCluster(
  spec: ClusterSpec,
  { seed = 1, mutateRules }: BuildOptions = {},
): SimulatedCluster {
  const { model } = loadTopology([{ file: "spec", text: topologyText(spec) }]);
  const cluster = buildNetwork(model, { seed });
  if (mutateRules !== undefined)
    for (const [name, { netns }] of cluster.nodes)
      netns.netfilter.load(mutateRules(netns.netfilter.save(), name));
  return cluster;
}
