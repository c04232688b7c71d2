import type { ClusterModel } from "../cluster/objects/model.ts";
import type { Network } from "../linux/network.ts";

/** What a trace needs of a simulated cluster: what it was built from, and the network that was built. */
export interface TraceableCluster {
  readonly model: ClusterModel;
  readonly network: Network;
}
