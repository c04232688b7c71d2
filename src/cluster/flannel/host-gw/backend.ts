import type { NetDevice } from "../../../linux/device/device.ts";
import { addRoute } from "../../../linux/ip/address.ts";
import { RTN_UNICAST } from "../../../linux/netfilter/context.ts";
import type { Lease } from "../lease.ts";
import { removeRoutesTo } from "../replace-route.ts";

/** flannel's host-gw back end on one node: nothing but routes by the NIC. */
export interface FlannelHostGw {
  readonly type: "host-gw";
  readonly nic: NetDevice;
}

/**
 * Another node's lease (backend/hostgw/hostgw_network.go: handleSubnetEvents, 0.9): a route to its subnet via the node;
 * one that is there with another gateway makes room.
 *
 * @returns false when the kernel refuses the route because the node is on no network of ours: flannel logs that and goes on.
 */
export function addHostGwLease({ nic }: FlannelHostGw, { subnet, prefixLength, publicIP }: Lease): boolean {
  removeRoutesTo(nic.netns, subnet, prefixLength);
  if (!isNear(nic, publicIP)) return false;
  addRoute(nic.netns, { destination: subnet, prefixLength, gateway: publicIP, dev: nic });
  return true;
}

/** net/ipv4/fib_semantics.c: fib_check_nh_v4_gw: a gateway must itself be reached without one. */
function isNear(nic: NetDevice, gateway: number): boolean {
  const route = nic.netns.fib.lookupVia(gateway, nic);
  return route !== null && route.type === RTN_UNICAST && route.gateway === 0;
}

/** A lease is gone: so is its route. */
export const removeHostGwLease = ({ nic }: FlannelHostGw, { subnet, prefixLength }: Lease): void =>
  removeRoutesTo(nic.netns, subnet, prefixLength);
