import { ETH_P_IP, ipTotalLength } from "../../packet/packet.ts";
import type { Skb } from "../skb.ts";
import type { NetDevice } from "./device.ts";

/** Room that the kernel leaves for a VLAN tag: bridges and veths let 4 bytes more than the MTU through. */
const VLAN_HLEN = 4;

/** `is_skb_forwardable` (net/core/dev.c): is `dev` up and the frame not too long for it? GSO frames always fit. */
export function isForwardable(dev: NetDevice, skb: Skb): boolean {
  if (!dev.up) return false;
  if (skb.gsoSize !== 0 || skb.packet.etherType !== ETH_P_IP) return true;
  return ipTotalLength(skb.packet) <= dev.mtu + VLAN_HLEN;
}
