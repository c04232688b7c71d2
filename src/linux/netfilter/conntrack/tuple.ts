import {
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type Packet,
} from "../../../packet/packet.ts";
import type { Tuple } from "./entry.ts";

/** ICMP questions and the type that answers each (net/netfilter/nf_conntrack_proto_icmp.c: invmap). */
const ICMP_TIMESTAMP = 13;
const ICMP_TIMESTAMPREPLY = 14;
const ICMP_INFO_REQUEST = 15;
const ICMP_INFO_REPLY = 16;
const ICMP_ADDRESS = 17;
const ICMP_ADDRESSREPLY = 18;

const INVERSE = new Map([
  [ICMP_ECHO, ICMP_ECHOREPLY],
  [ICMP_ECHOREPLY, ICMP_ECHO],
  [ICMP_TIMESTAMP, ICMP_TIMESTAMPREPLY],
  [ICMP_TIMESTAMPREPLY, ICMP_TIMESTAMP],
  [ICMP_INFO_REQUEST, ICMP_INFO_REPLY],
  [ICMP_INFO_REPLY, ICMP_INFO_REQUEST],
  [ICMP_ADDRESS, ICMP_ADDRESSREPLY],
  [ICMP_ADDRESSREPLY, ICMP_ADDRESS],
]);

/** valid_new: the ICMP types that may begin a connection. */
export const startsIcmpConnection = (type: number): boolean =>
  type === ICMP_ECHO || type === ICMP_TIMESTAMP || type === ICMP_INFO_REQUEST || type === ICMP_ADDRESS;

const hasPorts = (protocol: number): boolean =>
  protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_SCTP;

/** `nf_ct_get_tuple`: what a packet says about its connection. */
export function tupleOfPacket(p: Packet): Tuple {
  const { src, dst, protocol } = p;
  if (hasPorts(protocol)) return { src, dst, sport: p.sport, dport: p.dport, protocol };
  if (protocol === IPPROTO_ICMP)
    return { src, dst, sport: p.icmpId, dport: p.icmpType * 256 + p.icmpCode, protocol };
  return { src, dst, sport: 0, dport: 0, protocol };
}

/** `nf_ct_invert_tuple`: what the answer will look like; null for an ICMP type that has none. */
export function invertTuple(t: Tuple): Tuple | null {
  if (t.protocol !== IPPROTO_ICMP)
    return { src: t.dst, dst: t.src, sport: t.dport, dport: t.sport, protocol: t.protocol };
  const inverse = INVERSE.get(t.dport >>> 8);
  if (inverse === undefined) return null;
  return {
    src: t.dst,
    dst: t.src,
    sport: t.sport,
    dport: inverse * 256 + (t.dport & 0xff),
    protocol: t.protocol,
  };
}

export const tupleEqual = (a: Tuple, b: Tuple): boolean =>
  a.src === b.src &&
  a.dst === b.dst &&
  a.sport === b.sport &&
  a.dport === b.dport &&
  a.protocol === b.protocol;
