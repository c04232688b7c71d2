import {
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  TCPOPT_SACK_PERM,
  TCPOPT_WSCALE,
} from "../../../packet/packet.ts";
import type { Sysctl } from "../../sysctl.ts";
import {
  type Conntrack,
  type Direction,
  IPS_ASSURED,
  IPS_SEEN_REPLY,
  TcpTracking,
  TcpWindow,
} from "./entry.ts";

/** What tracking makes of a packet: it belongs (ACCEPT), it does not (INVALID), look up again (REPEAT), or end it (DROP). */
export const TRACK_ACCEPT = 0;
export const TRACK_INVALID = 1;
export const TRACK_REPEAT = 2;
export const TRACK_DROP = 3;
/** It belongs, and with it the connection ends at once. */
export const TRACK_KILL = 4;
export type Tracked = 0 | 1 | 2 | 3 | 4;

const NONE = 0;
const SYN_SENT = 1;
const SYN_RECV = 2;
const ESTABLISHED = 3;
const FIN_WAIT = 4;
const CLOSE_WAIT = 5;
const LAST_ACK = 6;
const TIME_WAIT = 7;
const CLOSE = 8;
const SYN_SENT2 = 9;
/** Not a state: the packet is let through without changing anything, or is invalid. */
const IGNORE = 10;
const INVALID = 11;

const SYN_SET = 0;
const SYNACK_SET = 1;
const FIN_SET = 2;
const ACK_SET = 3;
const RST_SET = 4;
const NONE_SET = 5;

const FLAG_WINDOW_SCALE = 0x01;
const FLAG_SACK_PERM = 0x02;
const FLAG_CLOSE_INIT = 0x04;
const FLAG_BE_LIBERAL = 0x08;
const FLAG_DATA_UNACKNOWLEDGED = 0x10;
const FLAG_MAXACK_SET = 0x20;

/** net/netfilter/nf_conntrack_proto_tcp.c: tcp_conntracks[direction][kind of segment][state]. */
const TRANSITIONS: readonly (readonly (readonly number[])[])[] = [
  [
    [SYN_SENT, SYN_SENT, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, SYN_SENT, SYN_SENT, SYN_SENT2],
    [INVALID, INVALID, SYN_RECV, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID, SYN_RECV],
    [INVALID, INVALID, FIN_WAIT, FIN_WAIT, LAST_ACK, LAST_ACK, LAST_ACK, TIME_WAIT, CLOSE, INVALID],
    [
      ESTABLISHED,
      INVALID,
      ESTABLISHED,
      ESTABLISHED,
      CLOSE_WAIT,
      CLOSE_WAIT,
      TIME_WAIT,
      TIME_WAIT,
      CLOSE,
      INVALID,
    ],
    [INVALID, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE],
    new Array<number>(10).fill(INVALID),
  ],
  [
    [INVALID, SYN_SENT2, INVALID, INVALID, INVALID, INVALID, INVALID, SYN_SENT, INVALID, SYN_SENT2],
    [INVALID, SYN_RECV, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, SYN_RECV],
    [INVALID, INVALID, FIN_WAIT, FIN_WAIT, LAST_ACK, LAST_ACK, LAST_ACK, TIME_WAIT, CLOSE, INVALID],
    [INVALID, IGNORE, SYN_RECV, ESTABLISHED, CLOSE_WAIT, CLOSE_WAIT, TIME_WAIT, TIME_WAIT, CLOSE, IGNORE],
    [INVALID, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE],
    new Array<number>(10).fill(INVALID),
  ],
];

const TIMEOUTS = [
  null,
  "net.netfilter.nf_conntrack_tcp_timeout_syn_sent",
  "net.netfilter.nf_conntrack_tcp_timeout_syn_recv",
  "net.netfilter.nf_conntrack_tcp_timeout_established",
  "net.netfilter.nf_conntrack_tcp_timeout_fin_wait",
  "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
  "net.netfilter.nf_conntrack_tcp_timeout_last_ack",
  "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
  "net.netfilter.nf_conntrack_tcp_timeout_close",
  "net.netfilter.nf_conntrack_tcp_timeout_syn_sent",
] as const;

/** get_conntrack_index */
function segmentKind(flags: number): number {
  if (flags & TCP_RST) return RST_SET;
  if (flags & TCP_SYN) return flags & TCP_ACK ? SYNACK_SET : SYN_SET;
  if (flags & TCP_FIN) return FIN_SET;
  if (flags & TCP_ACK) return ACK_SET;
  return NONE_SET;
}

/** tcp_valid_flags: combinations of flags (PSH, ECE and CWR apart) that a sane stack sends. */
export function hasValidFlags(flags: number): boolean {
  switch (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG)) {
    case TCP_SYN:
    case TCP_SYN | TCP_URG:
    case TCP_SYN | TCP_ACK:
    case TCP_RST:
    case TCP_RST | TCP_ACK:
    case TCP_FIN | TCP_ACK:
    case TCP_FIN | TCP_ACK | TCP_URG:
    case TCP_ACK:
    case TCP_ACK | TCP_URG:
      return true;
    default:
      return false;
  }
}

const before = (a: number, b: number): boolean => ((a - b) | 0) < 0;
const after = (a: number, b: number): boolean => before(b, a);

/** segment_seq_plus_len: the sequence number after this segment; SYN and FIN count one each. */
const segmentEnd = (p: Packet): number =>
  (p.seq + p.payloadLength + (p.tcpFlags & TCP_SYN ? 1 : 0) + (p.tcpFlags & TCP_FIN ? 1 : 0)) >>> 0;

/** Linux offers a scale of 7 with default buffers; an option's value is not carried in a packet. */
const OFFERED_SCALE = 7;

/** tcp_options: what a SYN offers. */
function readOptions(p: Packet, window: TcpWindow): void {
  window.scale = 0;
  window.flags = 0;
  if (p.tcpOptions & TCPOPT_SACK_PERM) window.flags |= FLAG_SACK_PERM;
  if (p.tcpOptions & TCPOPT_WSCALE) {
    window.scale = OFFERED_SCALE;
    window.flags |= FLAG_WINDOW_SCALE;
  }
}

/** `tcp_new`: may a connection begin with this segment? */
function begin(ct: Conntrack, p: Packet, sysctl: Sysctl): boolean {
  const state = TRANSITIONS[0]![segmentKind(p.tcpFlags)]![NONE]!;
  if (state === INVALID) return false;
  const tcp = new TcpTracking();
  ct.tcp = tcp;
  const sender = tcp.seen[0];
  sender.end = segmentEnd(p);
  sender.maxWindow = p.window || 1;
  if (state === SYN_SENT) {
    sender.maxEnd = sender.end;
    readOptions(p, sender);
  } else {
    // the middle of a connection whose beginning nobody saw
    if (sysctl.scalar["net.netfilter.nf_conntrack_tcp_loose"] === 0) return false;
    sender.maxEnd = (sender.end + sender.maxWindow) >>> 0;
    sender.flags = FLAG_SACK_PERM | FLAG_BE_LIBERAL;
    tcp.seen[1].flags = FLAG_SACK_PERM | FLAG_BE_LIBERAL;
  }
  tcp.lastIndex = NONE_SET;
  return true;
}

/** `nf_conntrack_tcp_packet`: follows a connection by one segment, `direction` being that of the segment. */
export function trackTcp(
  ct: Conntrack,
  p: Packet,
  direction: Direction,
  isNew: boolean,
  sysctl: Sysctl,
  nowUs: number,
): Tracked {
  if (!hasValidFlags(p.tcpFlags)) return TRACK_INVALID;
  if (isNew && !begin(ct, p, sysctl)) return TRACK_INVALID;
  const tcp = ct.tcp!;
  const index = segmentKind(p.tcpFlags);
  let oldState = ct.tcpState;
  let newState = TRANSITIONS[direction]![index]![oldState]!;
  const sender = tcp.seen[direction];
  const receiver = tcp.seen[direction === 0 ? 1 : 0];
  let checkWindow = true;

  if (newState === SYN_SENT && oldState >= TIME_WAIT) {
    const closed = ((sender.flags | receiver.flags) & FLAG_CLOSE_INIT) !== 0;
    const reset = tcp.lastDir === direction && tcp.lastIndex === RST_SET;
    if (closed || reset) return TRACK_REPEAT;
    newState = IGNORE;
  }
  if (newState === IGNORE) {
    if (!synchronizes(tcp, p, index, direction)) {
      ignore(tcp, p, index, direction);
      return TRACK_ACCEPT;
    }
    oldState = SYN_SENT;
    newState = SYN_RECV;
  }
  if (newState === INVALID) return TRACK_INVALID;
  if (newState === CLOSE && index === RST_SET) {
    if (
      receiver.flags & FLAG_MAXACK_SET &&
      before(p.seq, receiver.maxAck) &&
      sysctl.scalar["net.netfilter.nf_conntrack_tcp_ignore_invalid_rst"] === 0
    )
      return TRACK_INVALID;
    if (answersIgnored(ct, tcp, p)) checkWindow = false;
  }
  if (checkWindow && !inWindow(ct, tcp, p, direction, index, sysctl)) return TRACK_INVALID;

  tcp.lastIndex = index;
  tcp.lastDir = direction;
  ct.tcpState = newState;
  if (oldState !== newState && newState === FIN_WAIT) sender.flags |= FLAG_CLOSE_INIT;
  const timeoutUs = timeout(tcp, newState, sysctl) * 1_000_000;
  if ((ct.status & IPS_SEEN_REPLY) === 0) {
    // a connection whose only answer is a reset never was one
    if (p.tcpFlags & TCP_RST) return TRACK_KILL;
  } else if (
    (ct.status & IPS_ASSURED) === 0 &&
    (oldState === SYN_RECV || oldState === ESTABLISHED) &&
    newState === ESTABLISHED
  )
    ct.status |= IPS_ASSURED;
  ct.expiresUs = nowUs + timeoutUs;
  return TRACK_ACCEPT;
}

/** Does this SYN/ACK acknowledge a SYN that was let through without believing it? Then believe both. */
function synchronizes(tcp: TcpTracking, p: Packet, index: number, direction: Direction): boolean {
  if (index !== SYNACK_SET || tcp.lastIndex !== SYN_SET || tcp.lastDir === direction || p.ack !== tcp.lastEnd)
    return false;
  const other = tcp.seen[tcp.lastDir];
  other.end = tcp.lastEnd;
  other.maxEnd = tcp.lastEnd;
  other.maxWindow = tcp.lastWindow || 1;
  other.scale = tcp.lastScale;
  other.flags = tcp.lastFlags;
  const own = tcp.seen[direction];
  own.end = 0;
  own.maxEnd = 0;
  own.maxWindow = 0;
  own.maxAck = 0;
  own.scale = 0;
  own.flags = 0;
  return true;
}

/** Notes a segment that is let through although it does not fit: its answer will tell. */
function ignore(tcp: TcpTracking, p: Packet, index: number, direction: Direction): void {
  tcp.lastIndex = index;
  tcp.lastDir = direction;
  tcp.lastSeq = p.seq;
  tcp.lastEnd = segmentEnd(p);
  tcp.lastWindow = p.window;
  if (index !== SYN_SET || direction !== 0) return;
  const offered = new TcpWindow();
  readOptions(p, offered);
  tcp.lastFlags = offered.flags;
  tcp.lastScale = offered.scale;
}

/** A reset that answers a SYN or ACK which was let through unbelieved. */
function answersIgnored(ct: Conntrack, tcp: TcpTracking, p: Packet): boolean {
  const seenReply = (ct.status & IPS_SEEN_REPLY) !== 0;
  const assured = (ct.status & IPS_ASSURED) !== 0;
  return (
    ((seenReply && tcp.lastIndex === SYN_SET) || (!assured && tcp.lastIndex === ACK_SET)) &&
    p.ack === tcp.lastEnd
  );
}

function timeout(tcp: TcpTracking, state: number, sysctl: Sysctl): number {
  const { scalar } = sysctl;
  const seconds = scalar[TIMEOUTS[state]!];
  const unacknowledged = ((tcp.seen[0].flags | tcp.seen[1].flags) & FLAG_DATA_UNACKNOWLEDGED) !== 0;
  if (tcp.retransmissions >= scalar["net.netfilter.nf_conntrack_tcp_max_retrans"])
    return Math.min(seconds, scalar["net.netfilter.nf_conntrack_tcp_timeout_max_retrans"]);
  if (unacknowledged)
    return Math.min(seconds, scalar["net.netfilter.nf_conntrack_tcp_timeout_unacknowledged"]);
  return seconds;
}

/** `tcp_in_window`: is the segment within what the other side has allowed, and its ACK within what was sent? */
function inWindow(
  ct: Conntrack,
  tcp: TcpTracking,
  p: Packet,
  direction: Direction,
  index: number,
  sysctl: Sysctl,
): boolean {
  const sender = tcp.seen[direction];
  const receiver = tcp.seen[direction === 0 ? 1 : 0];
  let { seq, ack } = p;
  let end = segmentEnd(p);
  const state = ct.tcpState;
  const reopens = (state === SYN_SENT && direction === 0) || (state === SYN_RECV && direction === 1);
  if (sender.maxWindow === 0) {
    if (initSender(sender, receiver, p, end)) return true;
  } else if (reopens && after(end, sender.end)) {
    sender.end = end;
    sender.maxEnd = end;
    sender.maxWindow = p.window || 1;
    readOptions(p, sender);
  }
  const brokenReset = (p.tcpFlags & (TCP_ACK | TCP_RST)) === (TCP_ACK | TCP_RST) && ack === 0;
  if ((p.tcpFlags & TCP_ACK) === 0 || brokenReset) ack = receiver.end;
  if (seq === end && ((p.tcpFlags & TCP_RST) === 0 || (seq === 0 && state === SYN_SENT))) {
    seq = sender.end;
    end = sender.end;
  }
  const maxAckWindow = Math.max(sender.maxWindow, 66000);
  const fits =
    before(seq, (sender.maxEnd + 1) >>> 0) &&
    after(end, (sender.end - receiver.maxWindow - 1) >>> 0) &&
    before(ack, (receiver.end + 1) >>> 0) &&
    after(ack, (receiver.end - maxAckWindow - 1) >>> 0);
  if (!fits)
    return (
      (sender.flags & FLAG_BE_LIBERAL) !== 0 ||
      sysctl.scalar["net.netfilter.nf_conntrack_tcp_be_liberal"] !== 0
    );

  const window = p.tcpFlags & TCP_SYN ? p.window : p.window << sender.scale;
  if (sender.maxWindow < window) sender.maxWindow = window;
  if (after(end, sender.end)) {
    sender.end = end;
    sender.flags |= FLAG_DATA_UNACKNOWLEDGED;
  }
  if (p.tcpFlags & TCP_ACK && (!(sender.flags & FLAG_MAXACK_SET) || after(ack, sender.maxAck))) {
    sender.maxAck = ack;
    sender.flags |= FLAG_MAXACK_SET;
  }
  if (receiver.maxWindow !== 0 && after(end, sender.maxEnd)) receiver.maxWindow += (end - sender.maxEnd) | 0;
  if (after((ack + window) >>> 0, (receiver.maxEnd - 1) >>> 0))
    receiver.maxEnd = (ack + window + (window === 0 ? 1 : 0)) >>> 0;
  if (ack === receiver.end) receiver.flags &= ~FLAG_DATA_UNACKNOWLEDGED;
  if (index === ACK_SET) countRetransmission(tcp, direction, seq, ack, end, window);
  return true;
}

/** The first segment of a direction. True when that settles it (both sides opened at once). */
function initSender(sender: TcpWindow, receiver: TcpWindow, p: Packet, end: number): boolean {
  if (p.tcpFlags & TCP_SYN) {
    sender.end = end;
    sender.maxEnd = end;
    sender.maxWindow = p.window || 1;
    readOptions(p, sender);
    if (!(sender.flags & receiver.flags & FLAG_WINDOW_SCALE)) {
      sender.scale = 0;
      receiver.scale = 0;
    }
    return (p.tcpFlags & TCP_ACK) === 0;
  }
  sender.end = end;
  sender.maxWindow = p.window << sender.scale || 1;
  sender.maxEnd = (end + sender.maxWindow) >>> 0;
  if (receiver.maxWindow === 0) {
    receiver.end = p.ack;
    receiver.maxEnd = p.ack;
  }
  return false;
}

function countRetransmission(
  tcp: TcpTracking,
  direction: Direction,
  seq: number,
  ack: number,
  end: number,
  window: number,
): void {
  const same =
    tcp.lastDir === direction &&
    tcp.lastSeq === seq &&
    tcp.lastAck === ack &&
    tcp.lastEnd === end &&
    tcp.lastWindow === window;
  if (same) {
    tcp.retransmissions++;
    return;
  }
  tcp.lastDir = direction;
  tcp.lastSeq = seq;
  tcp.lastAck = ack;
  tcp.lastEnd = end;
  tcp.lastWindow = window;
  tcp.retransmissions = 0;
}
