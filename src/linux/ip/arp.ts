import { ARPOP_REPLY, ARPOP_REQUEST } from "../../packet/packet.ts";
import type { NetDevice } from "../device/device.ts";
import { RT_SCOPE_HOST } from "../device/device.ts";
import { RTN_LOCAL } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, PACKET_OTHERHOST, type Skb } from "../skb.ts";
import { confirmAddress } from "./address.ts";
import { arpSend } from "./arp-send.ts";
import { ipRouteInput } from "./route-input.ts";
import { addressType } from "./route-output.ts";

/** `arp_rcv` and `arp_process` (net/ipv4/arp.c): answer who asks for us, remember who spoke. */
export function arpReceive(netns: Netns, skb: Skb): void {
  const dev = skb.dev!;
  if (dev.noarp || skb.pktType === PACKET_OTHERHOST) {
    netns.drop(skb, "OTHERHOST", "arp_rcv");
    return;
  }
  const { src: sender, dst: target, arpOp, arpSenderMac } = skb.packet;
  if (target >>> 28 === 0xe || (target >>> 24 === 127 && !netns.sysctl.routeLocalnet(dev.conf))) return;
  if (sender === 0) {
    // duplicate address detection: somebody asks whether the address is free (RFC 2131)
    const ours = arpOp === ARPOP_REQUEST && addressType(netns, target, null) === RTN_LOCAL;
    if (ours && !ignoresRequest(netns, dev, sender, target)) {
      const to = { mac: arpSenderMac, address: 0, dmac: arpSenderMac };
      arpSend(dev, ARPOP_REPLY, to, target, skb.serial);
    }
    return;
  }
  if (arpOp === ARPOP_REQUEST && ipRouteInput(netns, skb, dev) === null && skb.route!.type === RTN_LOCAL) {
    if (!ignoresRequest(netns, dev, sender, target)) {
      // neigh_event_ns: who asks will be talked to next
      netns.neighbours.get(dev, sender).update(arpSenderMac, false, true);
      arpSend(
        dev,
        ARPOP_REPLY,
        { mac: arpSenderMac, address: sender, dmac: arpSenderMac },
        target,
        skb.serial,
      );
    }
    return;
  }
  const neighbour = netns.neighbours.find(dev, sender);
  if (neighbour === null) return;
  neighbour.update(arpSenderMac, arpOp === ARPOP_REPLY && skb.pktType === PACKET_HOST, true);
}

/**
 * `arp_ignore`: 0 answers for every address of the namespace, 1 only for the device's own, 2 only to who asks from the
 * same subnet, 8 never.
 */
function ignoresRequest(netns: Netns, dev: NetDevice, sender: number, target: number): boolean {
  switch (Math.max(netns.sysctl.all.arp_ignore, dev.conf.arp_ignore)) {
    case 1:
      return !confirmAddress(dev, 0, target, RT_SCOPE_HOST);
    case 2:
      return !confirmAddress(dev, sender, target, RT_SCOPE_HOST);
    case 8:
      return true;
    default:
      return false;
  }
}
