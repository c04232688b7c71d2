import type { NetDevice } from "../../linux/device/device.ts";
import type { Netns } from "../../linux/netns.ts";
import type { FlannelBackend } from "../objects/model.ts";
import { addHostGwLease, type FlannelHostGw, removeHostGwLease } from "./host-gw/backend.ts";
import { type Lease, othersLeases } from "./lease.ts";
import { addFlannelUdp, type FlannelUdp } from "./udp/backend.ts";
import { addFlannelVxlan, addVxlanLease, type FlannelVxlan, removeVxlanLease } from "./vxlan/backend.ts";

/** flannel on one node, by the back end's name in net-conf.json. */
export type FlannelNetwork = FlannelUdp | FlannelVxlan | FlannelHostGw;

/** What flannel is told at its start. */
export interface FlannelOptions {
  /** net-conf.json's `Network`. */
  readonly network: string;
  readonly backend: FlannelBackend;
  readonly own: Lease;
  readonly nic: NetDevice;
}

/** Starts flannel's back end on a node; it knows no other node yet. */
export function startFlannel(node: Netns, { network, backend, own, nic }: FlannelOptions): FlannelNetwork {
  switch (backend.type) {
    case "udp":
      return addFlannelUdp(node, { network, own, nic, port: backend.port });
    case "vxlan":
      return addFlannelVxlan(node, { own, nic, vni: backend.vni, port: backend.port });
    case "host-gw":
      return { type: "host-gw", nic };
  }
}

/**
 * Acts upon leases in their order; of two for one subnet the later counts, as with flannel. Those for the node's own
 * subnet are passed over.
 *
 * @returns the leases that could not be acted upon (host-gw: the node is on no network of ours).
 */
export function addLeases(flannel: FlannelNetwork, own: Lease, leases: readonly Lease[]): Lease[] {
  return othersLeases(own, leases).filter((lease) => !addLease(flannel, lease));
}

/** Acts upon another node's lease; false when that could not be done. */
export function addLease(flannel: FlannelNetwork, lease: Lease): boolean {
  switch (flannel.type) {
    case "udp":
      flannel.proxy.setRoute(lease);
      return true;
    case "vxlan":
      addVxlanLease(flannel, lease);
      return true;
    case "host-gw":
      return addHostGwLease(flannel, lease);
  }
}

/** A lease has ended. */
export function removeLease(flannel: FlannelNetwork, lease: Lease): void {
  switch (flannel.type) {
    case "udp":
      flannel.proxy.deleteRoute(lease);
      return;
    case "vxlan":
      removeVxlanLease(flannel, lease);
      return;
    case "host-gw":
      removeHostGwLease(flannel, lease);
  }
}
