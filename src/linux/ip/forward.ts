import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_TIME_EXCEEDED,
  ipTotalLength,
} from "../../packet/packet.ts";
import { NF_ACCEPT, NF_INET_FORWARD } from "../netfilter/hooks.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, type Skb } from "../skb.ts";
import { ipOutput } from "./output.ts";
import { ipSendRedirect } from "./redirect.ts";

/** `ip_forward` (net/ipv4/ip_forward.c): a packet for somebody else. TTL and size are judged before the FORWARD hook. */
export function ipForward(netns: Netns, skb: Skb): void {
  if (skb.pktType !== PACKET_HOST) {
    netns.drop(skb, "NOT_SPECIFIED", "ip_forward", null, "not addressed to this host's MAC");
    return;
  }
  const p = skb.packet;
  if (p.ttl <= 1) {
    netns.icmpSend(netns, skb, ICMP_TIME_EXCEEDED, 0, 0);
    netns.drop(skb, "IP_INHDR", "ip_forward");
    return;
  }
  const route = skb.route!;
  skb.forwarded = true;
  const mtu = route.entry?.mtu || route.dev.mtu;
  if (exceedsMtu(skb, mtu)) {
    netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
    netns.drop(skb, "PKT_TOO_BIG", "ip_forward");
    return;
  }
  p.ttl--;
  if (skb.doRedirect) ipSendRedirect(netns, skb);
  if (netns.netfilter.run(NF_INET_FORWARD, skb, skb.dev, route.dev) !== NF_ACCEPT) return;
  ipOutput(netns, skb, skb.dev);
}

/** `ip_exceeds_mtu` */
function exceedsMtu(skb: Skb, mtu: number): boolean {
  const p = skb.packet;
  const length = ipTotalLength(p);
  if (length <= mtu || p.df === 0) return false;
  if (skb.fragMaxSize > mtu) return true;
  if (skb.ignoreDf) return false;
  // a GSO packet is judged by its segments (skb_gso_validate_network_len)
  if (skb.gsoSize !== 0) return length - p.payloadLength + skb.gsoSize > mtu;
  return true;
}
