import type { Bridge, BridgePort } from "../../linux/device/bridge.ts";
import { addVethPair, type Veth } from "../../linux/device/veth.ts";
import { addAddress, addRoute, setLinkUp } from "../../linux/ip/address.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import { randomMac } from "../build/identity.ts";
import { toNumber } from "../objects/address.ts";
import { ETH_DATA_LEN } from "./bridge.ts";
import { macOfAddress } from "./mac.ts";

/** A pod's place on a docker bridge. */
export interface PodSandboxOptions {
  readonly namespace: string;
  readonly name: string;
  /** The pod's address, a dotted quad. */
  readonly address: string;
  readonly mtu: number;
  /** Hairpin mode of the pod's port on the bridge. */
  readonly hairpin?: boolean;
  /** Name of the node's end of the veth pair; docker draws `veth` and seven digits. Left out: `veth` and the address in hexadecimal. */
  readonly vethName?: string;
  /** Runs on the empty namespace before it gets a device: sysctls. */
  readonly prepare?: (netns: Netns) => void;
}

/** The pause container's namespace and the two ends of its wire. */
export interface PodSandbox {
  readonly netns: Netns;
  readonly eth0: Veth;
  /** The node's end, a port of the bridge. */
  readonly veth: Veth;
  readonly port: BridgePort;
}

/** The name of a pod's namespace. */
export const podNetnsName = (node: string, namespace: string, name: string): string =>
  `${node}/${namespace}/${name}`;

/**
 * Starts a pod's pause container: a namespace with eth0, whose other end is a port of the bridge (libnetwork
 * drivers/bridge/bridge.go: CreateEndpoint, osl/namespace_linux.go; release v0.8). The address has the bridge's prefix
 * length and no broadcast address, the default route leads to the bridge's own address. All containers of the pod
 * share the namespace.
 *
 * @throws RangeError when the pod's namespace or the veth's name is taken, or the bridge has no address.
 */
export function addPodSandbox(
  network: Network,
  node: Netns,
  bridge: Bridge,
  options: PodSandboxOptions,
): PodSandbox {
  const gateway = bridge.addresses[0];
  if (gateway === undefined) throw new RangeError(`${bridge.name} in ${node.name} has no address`);
  const address = toNumber(options.address);
  const vethName = options.vethName ?? `veth${address.toString(16).padStart(8, "0")}`;
  const netns = network.addNetns(podNetnsName(node.name, options.namespace, options.name));
  options.prepare?.(netns);
  const { mtu } = options;
  const [veth, eth0] = addVethPair(
    { netns: node, name: vethName, mac: randomMac(`${netns.name}/${vethName}`), mtu },
    { netns, name: "eth0", mac: macOfAddress(address), mtu },
  );
  const port = bridge.addPort(veth, { hairpin: options.hairpin ?? false });
  adjustMtu(bridge);
  setLinkUp(veth, true);
  addAddress(eth0, { local: address, prefixLength: gateway.prefixLength });
  setLinkUp(eth0, true);
  addRoute(netns, { destination: 0, prefixLength: 0, gateway: gateway.local, dev: eth0 });
  return { netns, eth0, veth, port };
}

/** The pause container is gone: with its namespace both ends of the wire go, and the bridge forgets who was behind the port. */
export function removePodSandbox(network: Network, { netns, eth0, veth, port }: PodSandbox): void {
  setLinkUp(eth0, false);
  setLinkUp(veth, false);
  port.bridge.removePort(veth);
  adjustMtu(port.bridge);
  netns.sockets.tcp.reset();
  veth.peer = null;
  eth0.peer = null;
  veth.netns.unregister(veth);
  netns.unregister(eth0);
  network.namespaces.delete(netns.name);
}

/**
 * net/bridge/br_if.c: br_mtu_auto_adjust: a bridge whose MTU nobody has set has the smallest of its ports', 1500 without
 * any. docker sets that of the veths alone (libnetwork drivers/bridge/bridge.go, release v0.8).
 */
function adjustMtu(bridge: Bridge): void {
  bridge.mtu = bridge.ports.length === 0 ? ETH_DATA_LEN : Math.min(...bridge.ports.map(({ dev }) => dev.mtu));
}
