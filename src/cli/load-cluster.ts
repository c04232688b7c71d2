import type { Logger } from "pino";
import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { buildNetwork } from "../cluster/build/network.ts";
import type { ClusterModel } from "../cluster/objects/model.ts";
import { documentFault, formatFault, TopologyError } from "../topology/load/fault.ts";
import { type LoadedTopology, loadTopology } from "../topology/load/load.ts";
import { builtInTopology, readSources, type Source } from "../topology/load/source.ts";
import { buildSnapshots } from "../topology/snapshot/build.ts";
import { readSnapshot, snapshotFolders } from "../topology/snapshot/files.ts";
import type { TraceableCluster } from "../trace/cluster.ts";
import type { Console } from "./console.ts";
import type { CommonOptions } from "./options.ts";
import { finishing, ReadingProgress } from "./progress.ts";

/** Reads a topology, aloud when that takes long. Throws TopologyError with every fault of it. */
export function readTopology(sources: readonly Source[], console: Console): LoadedTopology {
  const progress = new ReadingProgress(console);
  return finishing(progress, () =>
    loadTopology(sources, (file, done, total) => progress.reached(file, done, total)),
  );
}

/**
 * Reads the topology that a command is about. What was odd about it is logged.
 *
 * @throws TopologyError with every fault of the topology.
 */
export function loadModel({ file }: CommonOptions, log: Logger, console: Console): ClusterModel {
  const { model, warnings } = readTopology(readSources(file ?? [builtInTopology()]), console);
  for (const warning of warnings) log.warn(formatFault(warning));
  return model;
}

/** The same, built. What programs in the cluster tried in vain is logged too. */
export const loadCluster = (options: CommonOptions, log: Logger, console: Console): SimulatedCluster =>
  buildCluster(loadModel(options, log, console), options, log);

/** Builds the cluster of a model; logs what programs in it tried in vain. */
export function buildCluster(model: ClusterModel, { seed }: CommonOptions, log: Logger): SimulatedCluster {
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

/**
 * The cluster that a trace is about: built from a topology, or copied from nodes that were collected.
 *
 * @throws TopologyError with every fault of what was read.
 */
export function loadTraceable(options: CommonOptions, log: Logger, console: Console): TraceableCluster {
  const folders = (options.file ?? []).map(snapshotFolders);
  if (!folders.some((found) => found.length > 0)) return loadCluster(options, log, console);
  const mixed = folders.findIndex((found) => found.length === 0);
  if (mixed >= 0)
    throw new TopologyError([
      documentFault(options.file![mixed]!, null, "is no snapshot: snapshots and topologies do not mix"),
    ]);
  const cluster = buildSnapshots(folders.flat().map(readSnapshot), { seed: options.seed });
  for (const warning of cluster.warnings) log.warn(warning);
  return cluster;
}
