/** One tracked connection: `struct nf_conn` (include/net/netfilter/nf_conntrack.h), with both tuples. */
import type { Journal } from "../../journal.ts";

export const IP_CT_ESTABLISHED = 0;
export const IP_CT_RELATED = 1;
export const IP_CT_NEW = 2;
export const IP_CT_ESTABLISHED_REPLY = 3;
export const IP_CT_RELATED_REPLY = 4;
/** `skb.ctinfo` of a packet without an entry that somebody marked NOTRACK. */
export const IP_CT_UNTRACKED = 7;

export const IPS_EXPECTED = 1 << 0;
export const IPS_SEEN_REPLY = 1 << 1;
export const IPS_ASSURED = 1 << 2;
export const IPS_CONFIRMED = 1 << 3;
export const IPS_SRC_NAT = 1 << 4;
export const IPS_DST_NAT = 1 << 5;
export const IPS_SRC_NAT_DONE = 1 << 7;
export const IPS_DST_NAT_DONE = 1 << 8;
export const IPS_DYING = 1 << 9;

export const IP_CT_DIR_ORIGINAL = 0;
export const IP_CT_DIR_REPLY = 1;
export type Direction = 0 | 1;

/**
 * One direction of a connection. For ICMP `sport` is the id and `dport` is `type * 256 + code`
 * (the kernel's tuple has src.u.icmp.id and dst.u.icmp.{type,code}).
 */
export interface Tuple {
  src: number;
  dst: number;
  sport: number;
  dport: number;
  protocol: number;
}

/** TCP states as conntrack names them (net/netfilter/nf_conntrack_proto_tcp.c: tcp_conntrack_names). */
export const TCP_CONNTRACK_NAMES = [
  "NONE",
  "SYN_SENT",
  "SYN_RECV",
  "ESTABLISHED",
  "FIN_WAIT",
  "CLOSE_WAIT",
  "LAST_ACK",
  "TIME_WAIT",
  "CLOSE",
  "SYN_SENT2",
] as const;

/** SCTP states as conntrack names them (net/netfilter/nf_conntrack_proto_sctp.c: sctp_conntrack_names). */
export const SCTP_CONNTRACK_NAMES = [
  "NONE",
  "CLOSED",
  "COOKIE_WAIT",
  "COOKIE_ECHOED",
  "ESTABLISHED",
] as const;

/** What TCP tracking remembers of one direction: `struct ip_ct_tcp_state`. */
export class TcpWindow {
  end = 0;
  maxEnd = 0;
  maxWindow = 0;
  maxAck = 0;
  scale = 0;
  flags = 0;
}

/** `struct ip_ct_tcp` but for the state, which every protocol has. */
export class TcpTracking {
  /** By direction. */
  readonly seen: readonly [TcpWindow, TcpWindow] = [new TcpWindow(), new TcpWindow()];
  lastDir: Direction = 0;
  lastIndex = 0;
  lastSeq = 0;
  lastAck = 0;
  lastEnd = 0;
  lastWindow = 0;
  lastFlags = 0;
  lastScale = 0;
  retransmissions = 0;
}

export class Conntrack {
  readonly protocol: number;
  original: Tuple;
  reply: Tuple;
  /** IPS_* bits. */
  status = 0;
  mark = 0;
  /** Virtual time at which the entry is gone, in microseconds. */
  expiresUs = 0;
  /** Index into {@link TCP_CONNTRACK_NAMES} or {@link SCTP_CONNTRACK_NAMES}; other protocols: 0. */
  tcpState = 0;
  /** What TCP tracking remembers; null for other protocols. */
  tcp: TcpTracking | null = null;
  /** UDP: virtual time after which a second reply makes the stream ASSURED (`ct->proto.udp.stream_ts`). */
  udpStreamUs = 0;
  /** The device whose address MASQUERADE took; its going down ends the entry. 0 when none. */
  masqueradeIfindex = 0;
  /** The connection that this one is RELATED to. */
  master: Conntrack | null = null;
  /** Neighbours in the list of confirmed connections (`table.ts`), in the order in which they were confirmed. */
  older: Conntrack | null = null;
  newer: Conntrack | null = null;
  /** `nat_bysource`: the next one in the bucket of its original source. */
  nextBySource: Conntrack | null = null;

  constructor(original: Tuple, reply: Tuple) {
    this.protocol = original.protocol;
    this.original = original;
    this.reply = reply;
  }
}

/** Notes what a connection is like, before a packet of it is followed. */
export function keepConntrack(journal: Journal, ct: Conntrack): void {
  if (journal.isFresh(ct)) return;
  journal.keep(ct);
  if (ct.tcp === null) return;
  journal.keep(ct.tcp);
  journal.keep(ct.tcp.seen[0]);
  journal.keep(ct.tcp.seen[1]);
}
