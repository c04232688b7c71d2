/** What a worker does for `reachInWorkers`: it builds the cluster, once, and asks it about one share after another. */
import { workerData } from "piscina";
import { buildNetwork } from "../../cluster/build/network.ts";
import type { ClusterModel } from "../../cluster/objects/model.ts";
import type { Reach, Traced } from "./result.ts";
import { Survey } from "./survey.ts";

/** What a worker is given. */
export interface ReachJob {
  readonly model: ClusterModel;
  readonly seed: number;
}

/** What it gives of one share. */
export interface ReachShare {
  readonly part: Reach;
  readonly traced: Traced;
  /** What the cluster's programs tried in vain as it was built. */
  readonly refused: readonly string[];
}

const { model, seed } = workerData as ReachJob;
const cluster = buildNetwork(model, { seed });
// what is tried later is about packets
const refused = [...cluster.refused];
const survey = new Survey(cluster, seed);

/** Rows of the targets with these numbers. */
export default function share(ordinals: readonly number[]): ReachShare {
  const before = { ...survey.traced };
  const part = survey.report(ordinals);
  const { flows, branches } = survey.traced;
  return {
    part,
    traced: { flows: flows - before.flows, branches: branches - before.branches },
    refused,
  };
}
