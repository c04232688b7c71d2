import { ICMP_REDIRECT } from "../../packet/packet.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";

const ICMP_REDIR_HOST = 1;

/** `ip_rt_send_redirect` (net/ipv4/route.c): the packet leaves by the device it came by; its sender could go direct. */
export function ipSendRedirect(netns: Netns, skb: Skb): void {
  const route = skb.route!;
  if (!netns.sysctl.txRedirects(route.dev.conf)) return;
  if (!netns.peers.allowRedirect(skb.packet.src)) return;
  netns.icmpSend(netns, skb, ICMP_REDIRECT, ICMP_REDIR_HOST, route.gateway || skb.packet.dst);
}
