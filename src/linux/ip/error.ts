import { ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, ICMP_NET_UNREACH } from "../../packet/packet.ts";
import type { DropReason } from "../drop-reason.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";

const ICMP_PKT_FILTERED = 13;

/** `ip_error` (net/ipv4/route.c): a received packet has no route. A router complains to the sender, a host is silent. */
export function ipError(netns: Netns, skb: Skb): void {
  const { error } = skb.route!;
  const { forwarding } = skb.dev!.conf;
  const reason: DropReason =
    error === "ENETUNREACH"
      ? "IP_INNOROUTES"
      : error === "EHOSTUNREACH" && forwarding === 0
        ? "IP_INADDRERRORS"
        : "NOT_SPECIFIED";
  if (forwarding !== 0 && error !== "EINVAL" && netns.peers.allowRouteError(skb.packet.src)) {
    const code =
      error === "ENETUNREACH" ? ICMP_NET_UNREACH : error === "EACCES" ? ICMP_PKT_FILTERED : ICMP_HOST_UNREACH;
    netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, code, 0);
  }
  netns.drop(skb, reason, "ip_error");
}
