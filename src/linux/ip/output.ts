import { ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ipTotalLength } from "../../packet/packet.ts";
import type { NetDevice } from "../device/device.ts";
import { RTN_BROADCAST } from "../netfilter/context.ts";
import { NF_ACCEPT, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NF_STOLEN } from "../netfilter/hooks.ts";
import type { Netns } from "../netns.ts";
import { PACKET_LOOPBACK, type Skb } from "../skb.ts";
import { ipFragment } from "./fragment.ts";
import { neighbourFor } from "./neighbour.ts";
import { reportRoute } from "./route-report.ts";

/**
 * `ip_local_out` (net/ipv4/ip_output.c): a packet made here, with its route. False when the OUTPUT hook or what
 * follows refused it, which the sender sees as EPERM.
 */
export function ipLocalOut(netns: Netns, skb: Skb): boolean {
  skb.dev = skb.route!.dev;
  const { recorder } = netns.network;
  if (recorder !== null) reportRoute(recorder, netns, skb, "output");
  const verdict = netns.netfilter.run(NF_INET_LOCAL_OUT, skb, null, skb.route!.dev);
  // whoever has taken the packet over answers for it from now on
  if (verdict !== NF_ACCEPT) return verdict === NF_STOLEN;
  return ipOutput(netns, skb, null);
}

/** `ip_output`: POSTROUTING, then out. `indev` is the device by which a forwarded packet came. */
export function ipOutput(netns: Netns, skb: Skb, indev: NetDevice | null): boolean {
  const dev = skb.route!.dev;
  skb.dev = dev;
  if (indev === null && skb.route!.type === RTN_BROADCAST && !dev.loopback) loopBack(netns, skb, dev);
  if (netns.netfilter.run(NF_INET_POST_ROUTING, skb, indev, dev) !== NF_ACCEPT) return false;
  return ipFinishOutput(netns, skb);
}

/** `ip_mc_output`: a copy of what goes to everybody comes in again by the same device, and no tap sees it. */
function loopBack(netns: Netns, skb: Skb, dev: NetDevice): void {
  const copy = skb.clone();
  if (netns.netfilter.run(NF_INET_POST_ROUTING, copy, null, dev) !== NF_ACCEPT) return;
  copy.pktType = PACKET_LOOPBACK;
  netns.network.enqueue(dev, copy);
}

/**
 * `__ip_finish_output`: cut what is too long. False when that must not be: a sender here learns it at once, as EMSGSIZE
 * (its socket had another device in mind before OUTPUT's DNAT).
 */
function ipFinishOutput(netns: Netns, skb: Skb): boolean {
  const p = skb.packet;
  const route = skb.route!;
  const mtu = skb.forwarded ? route.entry?.mtu || route.dev.mtu : netns.fib.mtu(route, p.dst);
  if (skb.gsoSize !== 0) {
    // segments are cut by the last device; they fit, or ip_forward and the socket would have refused them
    ipFinishOutput2(netns, skb);
    return true;
  }
  if (ipTotalLength(p) <= mtu && skb.fragMaxSize === 0) {
    ipFinishOutput2(netns, skb);
    return true;
  }
  if (p.df !== 0 && (!skb.ignoreDf || skb.fragMaxSize > mtu)) {
    netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
    netns.drop(skb, "PKT_TOO_BIG", "ip_fragment");
    skb.dropError = "EMSGSIZE";
    return false;
  }
  ipFragment(netns, skb, mtu, (fragment) => ipFinishOutput2(netns, fragment));
  return true;
}

/** `ip_finish_output2`: hand the packet to the neighbour that is its next hop. */
function ipFinishOutput2(netns: Netns, skb: Skb): void {
  const route = skb.route!;
  neighbourFor(netns, route.dev, route.gateway || skb.packet.dst).output(skb);
}
