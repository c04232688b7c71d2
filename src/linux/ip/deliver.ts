import {
  ICMP_DEST_UNREACH,
  ICMP_PROT_UNREACH,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  isFragment,
} from "../../packet/packet.ts";
import { NF_ACCEPT, NF_INET_LOCAL_IN } from "../netfilter/hooks.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { icmpReceive } from "./icmp-receive.ts";

/** `ip_local_deliver` (net/ipv4/ip_input.c): a packet for this namespace; put together first if it came in pieces. */
export function ipLocalDeliver(netns: Netns, skb: Skb): void {
  if (isFragment(skb.packet) && !netns.defragmenter.add(skb, "local")) return;
  if (netns.netfilter.run(NF_INET_LOCAL_IN, skb, skb.dev, null) !== NF_ACCEPT) return;
  ipProtocolDeliver(netns, skb);
}

/** `ip_protocol_deliver_rcu`: to the protocol's handler. */
function ipProtocolDeliver(netns: Netns, skb: Skb): void {
  switch (skb.packet.protocol) {
    case IPPROTO_TCP:
      netns.sockets.tcp.receive(skb);
      return;
    case IPPROTO_UDP:
      netns.sockets.udp.receive(skb);
      return;
    case IPPROTO_ICMP:
      icmpReceive(netns, skb);
      return;
    case IPPROTO_SCTP:
      netns.sockets.sctp.receive(skb);
      return;
    default:
      netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
      netns.drop(skb, "IP_NOPROTO", "ip_protocol_deliver_rcu");
  }
}
