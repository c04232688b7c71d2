import { ARPOP_REQUEST, ETH_P_ARP, Packet } from "../../packet/packet.ts";
import type { NetDevice } from "../device/device.ts";
import { RT_SCOPE_LINK } from "../device/device.ts";
import { devQueueXmit } from "../device/transmit.ts";
import { RTN_LOCAL } from "../netfilter/context.ts";
import { Skb } from "../skb.ts";
import { selectSource, sharesSubnet } from "./address.ts";
import { addressType } from "./route-output.ts";

/** `arp_send`: an ARP packet leaves by `dev`. `cause` is the number of the packet that made it necessary. */
export function arpSend(
  dev: NetDevice,
  op: number,
  to: { mac: number; address: number; dmac: number },
  sender: number,
  cause: number,
): void {
  const packet = new Packet();
  packet.etherType = ETH_P_ARP;
  packet.dmac = to.dmac;
  packet.smac = dev.mac;
  packet.arpOp = op;
  packet.arpSenderMac = dev.mac;
  packet.src = sender;
  packet.arpTargetMac = to.mac;
  packet.dst = to.address;
  const skb = new Skb(packet);
  skb.dev = dev;
  dev.netns.originate(skb, "arp", cause);
  devQueueXmit(skb);
}

/**
 * `arp_solicit`: who has `address`? Asks as the packet's own source where that is ours; with `arp_announce` 1 only if
 * it shares a subnet of the device with the one asked for, with 2 never.
 */
export function arpSolicit(dev: NetDevice, address: number, mac: number, skb: Skb | null): void {
  let sender = 0;
  const announce = Math.max(dev.netns.sysctl.all.arp_announce, dev.conf.arp_announce);
  if (skb !== null && announce < 2 && addressType(dev.netns, skb.packet.src, null) === RTN_LOCAL) {
    const { src } = skb.packet;
    if (announce === 0 || sharesSubnet(dev, address, src)) sender = src;
  }
  if (sender === 0) sender = selectSource(dev, address, RT_SCOPE_LINK);
  arpSend(dev, ARPOP_REQUEST, { mac: 0, address, dmac: mac }, sender, skb?.serial ?? 0);
}
