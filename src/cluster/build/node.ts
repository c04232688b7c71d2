import type { Bridge } from "../../linux/device/bridge.ts";
import type { Nic } from "../../linux/device/segment.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import { addDockerBridge } from "../docker/bridge.ts";
import { type FlannelNetwork, startFlannel } from "../flannel/flannel.ts";
import { type Lease, lease } from "../flannel/lease.ts";
import { vtepMacOf } from "../flannel/vxlan/backend.ts";
import { proxySysctls } from "../node-rules/kube-proxy.ts";
import { toNumber } from "../objects/address.ts";
import type { ClusterModel, NodeModel } from "../objects/model.ts";
import { addDefaultRoute, addNic, addRoutes, applySysctls, listen } from "./machine.ts";
import type { Refusals } from "./refusals.ts";

/** A node of the simulated cluster: its root namespace and what its programs have put there. */
export interface SimulatedNode {
  readonly model: NodeModel;
  readonly netns: Netns;
  readonly nic: Nic;
  readonly bridge: Bridge;
  readonly flannel: FlannelNetwork;
  /** Its own lease of flannel's, as the others see it. */
  readonly lease: Lease;
}

/**
 * Sets a node up but for its rules and pods: settings (kube-proxy's, then the topology's, which have the last word),
 * NIC and default route, docker's bridge, flannel, and the ports that the node's own processes listen on.
 */
export function addNode(
  network: Network,
  cluster: ClusterModel,
  model: NodeModel,
  refusals: Refusals,
): SimulatedNode {
  const netns = network.addNetns(model.name);
  applySysctls(netns, { sysctl: proxySysctls(cluster, model, netns), localPortRange: null });
  applySysctls(netns, model);
  const nic = addNic(netns, model.nic);
  addDefaultRoute(netns, model.gateway, refusals, nic);
  const bridge = addDockerBridge(netns, { name: model.docker.bridge, address: model.docker.address });
  const own = leaseOf(cluster, model);
  const { network: block, backend } = cluster.flannel;
  const local = { ...own, publicIP: toNumber(model.internalIP) };
  const flannel = startFlannel(netns, { network: block, backend, own: local, nic });
  addRoutes(netns, model.routes ?? [], refusals);
  for (const port of model.listen)
    listen(netns, port, port.port === KUBELET_PORT ? "kubelet" : null, refusals);
  return { model, netns, nic, bridge, flannel, lease: own };
}

const KUBELET_PORT = 10250;

/** The lease that flannel's other nodes see of a node. */
export function leaseOf(
  { flannel: { backend } }: ClusterModel,
  { name, podCIDR, internalIP, flannel }: NodeModel,
): Lease {
  return lease(
    podCIDR,
    flannel?.publicIP ?? internalIP,
    backend.type === "vxlan" ? vtepMacOf(name, backend.vni) : 0,
  );
}
