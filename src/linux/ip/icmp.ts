import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_REDIRECT,
  IPPROTO_ICMP,
  ipTotalLength,
  isIcmpError,
  Packet,
} from "../../packet/packet.ts";
import { directionOf } from "../netfilter/conntrack/direction.ts";
import { IP_CT_RELATED, IP_CT_RELATED_REPLY } from "../netfilter/conntrack/entry.ts";
import { RTN_LOCAL, RTN_UNICAST } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, Skb } from "../skb.ts";
import { selectSource } from "./address.ts";
import { ipLocalOut } from "./output.ts";
import type { Route } from "./route.ts";
import { ipRouteOutput, sourceFor } from "./route-output.ts";

/** An error quotes as much as keeps it within this (RFC 1812, 4.3.2.3). */
const ERROR_MAX = 576;
const IPTOS_PREC_INTERNETCONTROL = 0xc0;

/**
 * `__icmp_send` (net/ipv4/icmp.c): tells the sender of `skb` what went wrong with it, unless it must not be told:
 * no error about errors, broadcasts, or fragments but the first; and not too often.
 * `info` is the MTU of a frag-needed error or the gateway of a redirect.
 */
export function icmpSend(netns: Netns, skb: Skb, type: number, code: number, info: number): void {
  const p = skb.packet;
  const route = skb.route;
  if (route === null || skb.pktType !== PACKET_HOST) return;
  if (route.type !== RTN_LOCAL && route.type !== RTN_UNICAST && route.error === null) return;
  if (p.fragOffset !== 0 || isIcmpError(p)) return;

  const source = errorSource(netns, skb, route);
  const back = ipRouteOutput(netns, p.src, source);
  if (typeof back === "string") return;
  // neither what comes by lo nor what leaves by it is limited
  if (!back.dev.loopback && !skb.dev?.loopback && !allowed(netns, p.src, type, code)) return;

  const error = new Packet();
  error.protocol = IPPROTO_ICMP;
  error.src = source || sourceFor(back, p.src);
  error.dst = p.src;
  error.tos = (p.tos & 0x1e) | IPTOS_PREC_INTERNETCONTROL;
  error.ttl = netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
  error.id = netns.nextIpId();
  error.icmpType = type;
  error.icmpCode = code;
  error.icmpInfo = info;
  error.inner = p.clone();
  const room = Math.min(netns.fib.mtu(back, p.src), ERROR_MAX) - 28;
  error.payloadLength = Math.min(ipTotalLength(p), room);

  const reply = new Skb(error);
  reply.route = back;
  attach(reply, skb);
  netns.originate(reply, "icmp-error", skb.serial);
  ipLocalOut(netns, reply);
}

/** The address it complains from: what the packet was sent to if that was us, otherwise what the route back chooses. */
function errorSource(netns: Netns, skb: Skb, route: Route): number {
  if (route.type === RTN_LOCAL) return skb.packet.dst;
  if (netns.sysctl.scalar["net.ipv4.icmp_errors_use_inbound_ifaddr"] === 0) return 0;
  const inbound = netns.deviceByIndex(skb.inputIfindex);
  return inbound === null ? 0 : selectSource(inbound, skb.packet.src, 253);
}

/** `icmpv4_xrlim_allow`: the bucket of the one complained to. Path MTU discovery is never held back. */
function allowed(netns: Netns, to: number, type: number, code: number): boolean {
  if (type === ICMP_DEST_UNREACH && code === ICMP_FRAG_NEEDED) return true;
  if (((1 << type) & netns.sysctl.scalar["net.ipv4.icmp_ratemask"]) === 0 || type === ICMP_REDIRECT)
    return true;
  return netns.peers.allowError(to, netns.sysctl.scalar["net.ipv4.icmp_ratelimit"]);
}

/** `nf_ct_attach`: the complaint belongs to the connection of the packet it is about, in the other direction. */
export function attach(reply: Skb, about: Skb): void {
  if (about.ct === null) return;
  reply.ct = about.ct;
  reply.ctinfo = directionOf(about.ctinfo) === 0 ? IP_CT_RELATED_REPLY : IP_CT_RELATED;
}
