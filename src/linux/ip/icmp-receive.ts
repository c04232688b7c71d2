import {
  ICMP_DEST_UNREACH,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_FRAG_NEEDED,
  ICMP_REDIRECT,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Packet,
} from "../../packet/packet.ts";
import { RTN_LOCAL } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import { Skb } from "../skb.ts";
import { ipLocalOut } from "./output.ts";
import { ipRouteOutput } from "./route-output.ts";

/** `icmp_rcv` (net/ipv4/icmp.c) */
export function icmpReceive(netns: Netns, skb: Skb): void {
  const p = skb.packet;
  switch (p.icmpType) {
    case ICMP_ECHO:
      icmpEcho(netns, skb);
      return;
    case ICMP_ECHOREPLY:
      netns.sockets.ping.receive(skb);
      return;
    default:
      icmpError(netns, skb);
  }
}

/** `icmp_echo`: the kernel answers by itself, from the address that was asked. */
function icmpEcho(netns: Netns, skb: Skb): void {
  const p = skb.packet;
  if (netns.sysctl.scalar["net.ipv4.icmp_echo_ignore_all"] !== 0) return;
  if (skb.route!.type !== RTN_LOCAL && netns.sysctl.scalar["net.ipv4.icmp_echo_ignore_broadcasts"] !== 0) {
    netns.drop(skb, "INVALID_PROTO", "icmp_rcv", null, "an echo request to a broadcast address");
    return;
  }
  netns.sockets.deliver(skb, null);
  // fib_compute_spec_dst: a broadcast is answered from an address of our own
  const own = skb.route!.type === RTN_LOCAL ? p.dst : 0;
  const route = ipRouteOutput(netns, p.src, own);
  if (typeof route === "string") return;
  const answer = new Packet();
  answer.protocol = IPPROTO_ICMP;
  answer.src = own || route.source;
  answer.dst = p.src;
  answer.tos = p.tos;
  answer.ttl = netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
  answer.id = netns.nextIpId();
  answer.icmpType = ICMP_ECHOREPLY;
  answer.icmpId = p.icmpId;
  answer.icmpSeq = p.icmpSeq;
  answer.payloadLength = p.payloadLength;
  answer.payload = p.payload;
  const reply = new Skb(answer);
  reply.route = route;
  netns.originate(reply, "icmp-echo-reply", skb.serial);
  ipLocalOut(netns, reply);
}

/** `icmp_unreach`, `icmp_redirect` → `icmp_socket_deliver`: the error is for whoever sent the quoted packet. */
function icmpError(netns: Netns, skb: Skb): void {
  const quoted = skb.packet.inner;
  netns.sockets.deliver(skb, null);
  if (quoted === null || skb.packet.icmpType === ICMP_REDIRECT) return;
  const found =
    quoted.protocol === IPPROTO_TCP
      ? netns.sockets.tcp.error(skb, quoted)
      : quoted.protocol === IPPROTO_UDP
        ? netns.sockets.udp.error(skb, quoted)
        : quoted.protocol === IPPROTO_ICMP
          ? netns.sockets.ping.error(skb, quoted)
          : false;
  if (found && skb.packet.icmpType === ICMP_DEST_UNREACH && skb.packet.icmpCode === ICMP_FRAG_NEEDED)
    netns.fib.learnPathMtu(quoted.dst, skb.packet.icmpInfo);
}
