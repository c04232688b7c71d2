import type { Chooser } from "../../linux/chooser.ts";
import { Network } from "../../linux/network.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { addLeases } from "../flannel/flannel.ts";
import type { ClusterModel } from "../objects/model.ts";
import { SimulatedCluster } from "./cluster.ts";
import { addHost } from "./host.ts";
import { addNode, type SimulatedNode } from "./node.ts";
import type { Refusals } from "./refusals.ts";

export interface BuildOptions {
  /** Seed of everything random on packets' way; 1 when left out. */
  readonly seed?: number;
  /** Answers in the seed's stead. */
  readonly chooser?: Chooser;
}

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
  const nodes = new Map(model.nodes.map((node) => [node.name, addNode(network, model, node, refusals)]));
  joinFlannel([...nodes.values()], refusals);
  return new SimulatedCluster(network, model, nodes, hosts, refusals);
}

/** Every node's flannel hears of all leases, in the order of the nodes' names. */
function joinFlannel(nodes: readonly SimulatedNode[], { refused }: Refusals): void {
  const leases = nodes.filter(({ model }) => model.flannel?.lease !== false).map(({ lease }) => lease);
  for (const { flannel, lease, netns } of nodes)
    for (const { subnet, prefixLength, publicIP } of addLeases(flannel, lease, leases))
      refused.push(
        `flanneld on ${netns.name}: no route to ${formatIpv4(subnet)}/${prefixLength} via ${formatIpv4(publicIP)}`,
      );
}
