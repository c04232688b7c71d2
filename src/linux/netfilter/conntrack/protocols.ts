import type { Packet } from "../../../packet/packet.ts";
import type { Sysctl } from "../../sysctl.ts";
import { type Conntrack, type Direction, IPS_ASSURED, IPS_CONFIRMED, IPS_SEEN_REPLY } from "./entry.ts";
import { TRACK_ACCEPT, TRACK_INVALID, type Tracked } from "./tcp.ts";
import { startsIcmpConnection } from "./tuple.ts";

const SECOND_US = 1_000_000;
/** A UDP flow is a stream once it is answered this long after it began. */
const STREAM_AFTER_US = 2 * SECOND_US;

/** `nf_conntrack_udp_packet`: an answered flow that goes on after two seconds is a stream, and assured. */
export function trackUdp(ct: Conntrack, sysctl: Sysctl, nowUs: number): Tracked {
  if ((ct.status & IPS_CONFIRMED) === 0) ct.udpStreamUs = nowUs + STREAM_AFTER_US;
  const unreplied = sysctl.scalar["net.netfilter.nf_conntrack_udp_timeout"];
  if (ct.status & IPS_SEEN_REPLY && nowUs > ct.udpStreamUs) {
    ct.expiresUs = nowUs + sysctl.scalar["net.netfilter.nf_conntrack_udp_timeout_stream"] * SECOND_US;
    ct.status |= IPS_ASSURED;
  } else ct.expiresUs = nowUs + unreplied * SECOND_US;
  return TRACK_ACCEPT;
}

/** `nf_conntrack_icmp_packet`: only questions begin a connection. */
export function trackIcmp(ct: Conntrack, p: Packet, isNew: boolean, sysctl: Sysctl, nowUs: number): Tracked {
  if (isNew && !startsIcmpConnection(p.icmpType)) return TRACK_INVALID;
  ct.expiresUs = nowUs + sysctl.scalar["net.netfilter.nf_conntrack_icmp_timeout"] * SECOND_US;
  return TRACK_ACCEPT;
}

/**
 * SCTP, as far as packets here tell their chunks apart: the first one is an INIT, its answer an INIT ACK, and what
 * follows finds the association established (net/netfilter/nf_conntrack_proto_sctp.c).
 */
export function trackSctp(ct: Conntrack, direction: Direction, sysctl: Sysctl, nowUs: number): Tracked {
  if (ct.tcpState === 0) ct.tcpState = 2;
  else if (direction === 0 && ct.status & IPS_SEEN_REPLY) {
    ct.tcpState = 4;
    ct.status |= IPS_ASSURED;
  }
  const seconds =
    ct.tcpState === 4
      ? sysctl.scalar["net.netfilter.nf_conntrack_sctp_timeout_established"]
      : sysctl.scalar["net.netfilter.nf_conntrack_sctp_timeout_cookie_wait"];
  ct.expiresUs = nowUs + seconds * SECOND_US;
  return TRACK_ACCEPT;
}

/** nf_conntrack_proto_generic.c: any other protocol, by its addresses alone. */
export function trackGeneric(ct: Conntrack, sysctl: Sysctl, nowUs: number): Tracked {
  ct.expiresUs = nowUs + sysctl.scalar["net.netfilter.nf_conntrack_generic_timeout"] * SECOND_US;
  return TRACK_ACCEPT;
}
