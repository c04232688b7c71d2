import type { Chooser } from "../../linux/chooser.ts";
import { Network } from "../../linux/network.ts";
import type { ClusterModel } from "../objects/model.ts";
import { SimulatedCluster } from "./cluster.ts";
import { addHost } from "./host.ts";
import type { Refusals } from "./refusals.ts";

export interface BuildOptions {
  /** Seed of everything random on packets' way; 1 when left out. */
  readonly seed?: number;
  /** Answers in the seed's stead. */
  readonly chooser?: Chooser;
  /**
   * Make a node, with its pods, when somebody first speaks to it or asks for it. Left out: where there are more than 100
   * nodes. What happens to a packet is the same, but nothing is told of ARP requests that reach nodes not made yet and
   * are none of their business, and `refused` grows as nodes are made.
   */
  readonly onDemand?: boolean;
}

/** So many nodes are made at once. */
const FEW_NODES = 100;

/**
 * Builds the cluster out of namespaces: segments, hosts, nodes with docker0 and flannel, pods, everybody's rules.
 *
 *   pod eth0 ── veth… docker0 ── NODE ── flannel0 | flannel.1 | routes
 *                                  └── NIC ── segment ── NIC ── HOST
 *
 * Namespaces are named NODE, NODE/NAMESPACE/POD and HOST. Everything drawn at random by real programs (MAC addresses,
 * veth names) follows from names and addresses, so equal models give equal networks.
 */
export function buildNetwork(model: ClusterModel, options: BuildOptions = {}): SimulatedCluster {
  const network = new Network(options);
  const refusals: Refusals = { refused: [] };
  for (const { name } of model.segments) network.addSegment(name);
  const hosts = new Map(model.hosts.map((host) => [host.name, addHost(network, host, refusals)]));
  const onDemand = options.onDemand ?? model.nodes.length > FEW_NODES;
  return new SimulatedCluster(network, model, hosts, refusals, onDemand);
}
