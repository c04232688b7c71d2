import type { NetDevice } from "../../../linux/device/device.ts";
import { VXLAN_HEADROOM, Vxlan } from "../../../linux/device/vxlan.ts";
import { addAddress, addRoute, setLinkUp } from "../../../linux/ip/address.ts";
import type { Netns } from "../../../linux/netns.ts";
import { randomMac } from "../../build/identity.ts";
import type { Lease } from "../lease.ts";
import { removeRoutesTo } from "../replace-route.ts";

export interface FlannelVxlanOptions {
  /** The node's own lease; its `vtepMac` is the device's address. */
  readonly own: Lease;
  /** The NIC that carries the outer packets. */
  readonly nic: NetDevice;
  readonly vni?: number;
  /** Outer UDP port; 8472, the kernel's own. */
  readonly port?: number;
}

/** flannel's vxlan back end on one node. */
export interface FlannelVxlan {
  readonly type: "vxlan";
  readonly device: Vxlan;
}

const DEFAULT_VNI = 1;
const DEFAULT_PORT = 8472;

/** The address that a node's VXLAN device gets: the kernel draws it, here the names decide. */
export const vtepMacOf = (node: string, vni = DEFAULT_VNI): number => randomMac(`${node}/flannel.${vni}`);

/**
 * Starts flannel's vxlan back end (backend/vxlan/vxlan.go, device.go, 0.9): flannel.VNI without learning, the subnet's
 * own address as a /32 so that it brings no broadcast routes, the NIC's MTU less 50.
 */
export function addFlannelVxlan(node: Netns, options: FlannelVxlanOptions): FlannelVxlan {
  const { own, nic, vni = DEFAULT_VNI, port = DEFAULT_PORT } = options;
  const device = new Vxlan(node, `flannel.${vni}`, own.vtepMac, nic.mtu - VXLAN_HEADROOM, {
    vni,
    port,
    local: own.publicIP,
    lower: nic,
    learning: false,
  });
  addAddress(device, { local: own.subnet, prefixLength: 32 });
  setLinkUp(device, true);
  return { type: "vxlan", device };
}

/**
 * Another node's lease (backend/vxlan/vxlan_network.go: handleSubnetEvents): a permanent neighbour, an entry of the
 * forwarding database, and the route via the neighbour, each in the place of what was there before.
 */
export function addVxlanLease(
  { device }: FlannelVxlan,
  { subnet, prefixLength, publicIP, vtepMac }: Lease,
): void {
  const { netns } = device;
  netns.neighbours.addPermanent(device, subnet, vtepMac);
  device.fdb.set(vtepMac, publicIP);
  removeRoutesTo(netns, subnet, prefixLength);
  addRoute(netns, { destination: subnet, prefixLength, gateway: subnet, dev: device, onlink: true });
}

/** A lease is gone: so are its three entries. */
export function removeVxlanLease({ device }: FlannelVxlan, { subnet, prefixLength, vtepMac }: Lease): void {
  const { netns } = device;
  netns.neighbours.remove(device, subnet);
  device.fdb.delete(vtepMac);
  removeRoutesTo(netns, subnet, prefixLength);
}
