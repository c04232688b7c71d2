import type { Logger } from "pino";
import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { buildNetwork } from "../cluster/build/network.ts";
import { formatFault } from "../topology/load/fault.ts";
import { loadTopology } from "../topology/load/load.ts";
import { builtInTopology, readSources } from "../topology/load/source.ts";
import type { CommonOptions } from "./options.ts";

/**
 * Builds the cluster that a command is about. What was odd about the topology is logged, and what programs in it
 * tried in vain.
 *
 * @throws TopologyError with every fault of the topology.
 */
export function loadCluster({ file, seed }: CommonOptions, log: Logger): SimulatedCluster {
  const paths = file ?? [builtInTopology()];
  const { model, warnings } = loadTopology(readSources(paths));
  for (const warning of warnings) log.warn(formatFault(warning));
  const cluster = buildNetwork(model, { seed });
  for (const refusal of cluster.refused) log.warn(refusal);
  log.debug(
    {
      nodes: model.nodes.length,
      hosts: model.hosts.length,
      pods: model.pods.length,
      services: model.services.length,
    },
    "cluster built",
  );
  return cluster;
}
