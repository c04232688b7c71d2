import type { NetDevice } from "../../../linux/device/device.ts";
import { RT_SCOPE_UNIVERSE } from "../../../linux/device/device.ts";
import { Tun } from "../../../linux/device/tun.ts";
import { addAddress, addRoute, setLinkUp } from "../../../linux/ip/address.ts";
import { RT_TABLE_MAIN } from "../../../linux/ip/route.ts";
import type { Netns } from "../../../linux/netns.ts";
import { toBlock } from "../../objects/address.ts";
import type { Lease } from "../lease.ts";
import { UdpProxy } from "./proxy.ts";

/** IP and UDP header of the outer packet (backend/udp/udp_network.go: encapOverhead). */
const UDP_OVERHEAD = 28;

export interface FlannelUdpOptions {
  /** The whole network: `192.168.0.0/16`. */
  readonly network: string;
  /** The node's own lease. */
  readonly own: Lease;
  /** The NIC whose address and MTU flannel uses (`--iface`). */
  readonly nic: NetDevice;
  /** UDP port of every node's flannel; 8285. */
  readonly port?: number;
  readonly device?: string;
}

/** flannel's udp back end on one node. */
export interface FlannelUdp {
  readonly type: "udp";
  readonly tun: Tun;
  readonly proxy: UdpProxy;
}

const DEFAULT_PORT = 8285;

/**
 * Starts flannel's udp back end (backend/udp/udp.go, udp_network.go, 0.9): the TUN device flannel0 with the subnet's
 * own address and the network's mask, so that the network's route comes with the address; its MTU is the NIC's less
 * 28; the proxy between it and a UDP socket bound to the node's address. The nodes' leases are `proxy.setRoute`'s.
 */
export function addFlannelUdp(node: Netns, options: FlannelUdpOptions): FlannelUdp {
  const { own, nic, port = DEFAULT_PORT, device = "flannel0" } = options;
  const network = toBlock(options.network);
  const tun = new Tun(node, device, nic.mtu - UDP_OVERHEAD);
  const proxy = new UdpProxy(tun, own.subnet, own.publicIP, port);
  tun.owner = proxy;
  addAddress(tun, { local: own.subnet, prefixLength: network.length });
  setLinkUp(tun, true);
  ensureNetworkRoute(node, tun, network.base, network.length);
  node.sockets.udp.bind({
    address: own.publicIP,
    port,
    owner: "flanneld",
    receive: (skb) => proxy.receive(skb),
  });
  return { type: "udp", tun, proxy };
}

/** The route that flannel adds by hand, in case another one kept the address from bringing it (EEXIST is passed over). */
function ensureNetworkRoute(node: Netns, tun: Tun, destination: number, prefixLength: number): void {
  for (const entry of node.fib.entries(RT_TABLE_MAIN))
    if (entry.destination === destination && entry.prefixLength === prefixLength && entry.metric === 0)
      return;
  addRoute(node, { destination, prefixLength, dev: tun, scope: RT_SCOPE_UNIVERSE });
}
