import { type Packet, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, TCP_URG } from "../../../packet/packet.ts";
import type { Sysctl } from "../../sysctl.ts";
import {
  type Conntrack,
  type Direction,
  IPS_ASSURED,
  IPS_SEEN_REPLY,
  TcpTracking,
  TcpWindow,
} from "./entry.ts";
import {
  ACK_SET,
  FIN_SET,
  FLAG_BE_LIBERAL,
  FLAG_CLOSE_INIT,
  FLAG_DATA_UNACKNOWLEDGED,
  FLAG_MAXACK_SET,
  FLAG_SACK_PERM,
  judgeWindow,
  NONE_SET,
  RST_SET,
  readOptions,
  SYN_SET,
  SYNACK_SET,
  segmentEnd,
  seqBefore,
  WINDOW_IGNORE,
  WINDOW_INVALID,
} from "./tcp-window.ts";

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

/** IP_CT_EXP_CHALLENGE_ACK, IP_CT_TCP_SIMULTANEOUS_OPEN: notes on the connection beside a SYN's options. */
const EXPECTS_CHALLENGE_ACK = 0x40;
const SIMULTANEOUS_OPEN = 0x80;

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
function hasValidFlags(flags: number): boolean {
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
  const flags = tcp.seen[0].flags | tcp.seen[1].flags;

  if (newState === SYN_SENT && oldState >= TIME_WAIT) {
    const reset = tcp.lastDir === direction && tcp.lastIndex === RST_SET;
    if (flags & FLAG_CLOSE_INIT || reset) return TRACK_REPEAT;
    newState = IGNORE;
  }
  if (newState === IGNORE) {
    if (!synchronizes(tcp, p, index, direction)) {
      ignore(tcp, p, index, direction, oldState);
      return TRACK_ACCEPT;
    }
    oldState = SYN_SENT;
    newState = SYN_RECV;
  }
  if (newState === INVALID) return TRACK_INVALID;
  if (newState === TIME_WAIT && isChallengeAck(tcp, index, direction, oldState)) return TRACK_ACCEPT;
  if (newState === SYN_SENT2) tcp.lastFlags |= SIMULTANEOUS_OPEN;
  if (newState === SYN_RECV && direction === 1 && index === ACK_SET && tcp.lastFlags & SIMULTANEOUS_OPEN)
    newState = ESTABLISHED;
  let fitsAnyhow = false;
  if (newState === CLOSE && index === RST_SET) {
    const effect = resetEffect(ct, tcp, p, direction, sysctl);
    if (effect === "invalid") return TRACK_INVALID;
    if (effect === "keep") newState = oldState;
    if (effect !== "close") fitsAnyhow = answersIgnored(ct, tcp, p, oldState);
  }
  if (!fitsAnyhow) {
    const verdict = judgeWindow(tcp, p, direction, index, {
      opening: ct.tcpState === SYN_SENT || ct.tcpState === SYN_RECV,
      synSent: ct.tcpState === SYN_SENT,
      liberal: sysctl.scalar["net.netfilter.nf_conntrack_tcp_be_liberal"] !== 0,
    });
    if (verdict === WINDOW_IGNORE) return TRACK_ACCEPT;
    if (verdict === WINDOW_INVALID) {
      noteInvalid(ct, tcp, direction, index, sysctl, nowUs);
      return TRACK_INVALID;
    }
  }
  tcp.lastIndex = index;
  tcp.lastDir = direction;
  ct.tcpState = newState;
  if (oldState !== newState && newState === FIN_WAIT) tcp.seen[direction].flags |= FLAG_CLOSE_INIT;
  return settle(ct, tcp, p, index, oldState, newState, sysctl, nowUs);
}

/** The timeout of the new state, and whether the connection is one by now. */
function settle(
  ct: Conntrack,
  tcp: TcpTracking,
  p: Packet,
  index: number,
  oldState: number,
  newState: number,
  sysctl: Sysctl,
  nowUs: number,
): Tracked {
  let seconds = timeout(tcp, newState, index, sysctl);
  if ((ct.status & IPS_SEEN_REPLY) === 0) {
    // a connection whose only answer is a reset never was one
    if (p.tcpFlags & TCP_RST) return TRACK_KILL;
    // a SYN sent again must not keep an entry alive for ever
    if (index === SYN_SET && oldState === SYN_SENT) return TRACK_ACCEPT;
    if (newState === ESTABLISHED) seconds = Math.min(seconds, sysctl.scalar[UNACKNOWLEDGED_TIMEOUT]);
  } else if (
    (ct.status & IPS_ASSURED) === 0 &&
    (oldState === SYN_RECV || oldState === ESTABLISHED) &&
    newState === ESTABLISHED
  )
    ct.status |= IPS_ASSURED;
  ct.expiresUs = nowUs + seconds * 1_000_000;
  return TRACK_ACCEPT;
}

/** `nf_conntrack_tcp_set_closing`: a rule has reset the connection in its partner's name, so it is closed. */
export function setClosing(ct: Conntrack, sysctl: Sysctl, nowUs: number): void {
  if (ct.tcp === null || ct.tcpState === CLOSE) return;
  ct.tcpState = CLOSE;
  ct.expiresUs = nowUs + sysctl.scalar["net.netfilter.nf_conntrack_tcp_timeout_close"] * 1_000_000;
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
function ignore(tcp: TcpTracking, p: Packet, index: number, direction: Direction, state: number): void {
  tcp.lastIndex = index;
  tcp.lastDir = direction;
  tcp.lastSeq = p.seq;
  tcp.lastEnd = segmentEnd(p);
  tcp.lastWindow = p.window;
  if (index === SYN_SET && direction === 0) {
    const offered = new TcpWindow();
    readOptions(p, offered);
    tcp.lastFlags = offered.flags;
    tcp.lastScale = offered.scale;
    if (state === LAST_ACK) tcp.lastFlags |= EXPECTS_CHALLENGE_ACK;
  }
  // perhaps an ACK that challenges a SYN (RFC 5961): a reset will tell
  if (state === SYN_SENT && index === ACK_SET && direction === 1) tcp.lastAck = p.ack;
}

/** In LAST_ACK the ACK that challenges a SYN must not be taken for the last one (RFC 5961). */
function isChallengeAck(tcp: TcpTracking, index: number, direction: Direction, oldState: number): boolean {
  if (oldState !== LAST_ACK || index !== ACK_SET) return false;
  if (tcp.lastDir === direction || tcp.lastIndex !== SYN_SET) return false;
  if ((tcp.lastFlags & EXPECTS_CHALLENGE_ACK) === 0) return false;
  tcp.lastFlags &= ~EXPECTS_CHALLENGE_ACK;
  return true;
}

/**
 * What a reset does: it is `invalid` when it is older than what was acknowledged, closes when it is exactly in
 * sequence, and otherwise may be answered by a challenge, so the state is kept (RFC 5961).
 */
function resetEffect(
  ct: Conntrack,
  tcp: TcpTracking,
  p: Packet,
  direction: Direction,
  sysctl: Sysctl,
): "invalid" | "close" | "keep" | "open" {
  const receiver = tcp.seen[direction === 0 ? 1 : 0];
  if ((receiver.flags & FLAG_MAXACK_SET) === 0) return "open";
  const established = ct.tcpState === ESTABLISHED && (ct.status & IPS_ASSURED) !== 0;
  if (p.seq === 0 && !established) return "close";
  const ignoresInvalid = sysctl.scalar["net.netfilter.nf_conntrack_tcp_ignore_invalid_rst"] !== 0;
  if (seqBefore(p.seq, receiver.maxAck) && !ignoresInvalid) return "invalid";
  if (!established || p.seq === receiver.maxAck) return "close";
  // it closes a train of segments
  if (tcp.lastIndex === ACK_SET && tcp.lastDir === direction && p.seq === tcp.lastEnd) return "close";
  return "keep";
}

/** A reset that answers a SYN or ACK which was let through unbelieved; the window does not judge it. */
function answersIgnored(ct: Conntrack, tcp: TcpTracking, p: Packet, oldState: number): boolean {
  const seenReply = (ct.status & IPS_SEEN_REPLY) !== 0;
  const assured = (ct.status & IPS_ASSURED) !== 0;
  const { lastIndex } = tcp;
  if (p.ack === tcp.lastEnd && ((seenReply && lastIndex === SYN_SET) || (!assured && lastIndex === ACK_SET)))
    return true;
  return oldState === SYN_SENT && lastIndex === ACK_SET && tcp.lastDir === 1 && p.seq === tcp.lastAck;
}

/** `nf_tcp_handle_invalid`: a FIN or reset out of the window, answered by another, ends the long timeout. */
function noteInvalid(
  ct: Conntrack,
  tcp: TcpTracking,
  direction: Direction,
  index: number,
  sysctl: Sysctl,
  nowUs: number,
): void {
  if ((ct.status & IPS_ASSURED) === 0 || (index !== RST_SET && index !== FIN_SET)) return;
  const answers = tcp.lastDir !== direction && (tcp.lastIndex === FIN_SET || tcp.lastIndex === RST_SET);
  if (!answers) {
    tcp.lastIndex = index;
    tcp.lastDir = direction;
    return;
  }
  const left = ct.expiresUs - nowUs;
  const lowered = sysctl.scalar[UNACKNOWLEDGED_TIMEOUT] * 1_000_000;
  if (left >= 120_000_000 && left > lowered) ct.expiresUs = nowUs + lowered;
}

const UNACKNOWLEDGED_TIMEOUT = "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged";

function timeout(tcp: TcpTracking, state: number, index: number, sysctl: Sysctl): number {
  const { scalar } = sysctl;
  const seconds = scalar[TIMEOUTS[state]!];
  const retransmitting = scalar["net.netfilter.nf_conntrack_tcp_timeout_max_retrans"];
  const unacknowledged = ((tcp.seen[0].flags | tcp.seen[1].flags) & FLAG_DATA_UNACKNOWLEDGED) !== 0;
  if (tcp.retransmissions >= scalar["net.netfilter.nf_conntrack_tcp_max_retrans"] && seconds > retransmitting)
    return retransmitting;
  if (index === RST_SET) return scalar["net.netfilter.nf_conntrack_tcp_timeout_close"];
  if (unacknowledged && seconds > scalar[UNACKNOWLEDGED_TIMEOUT]) return scalar[UNACKNOWLEDGED_TIMEOUT];
  return tcp.lastWindow === 0 ? Math.min(seconds, retransmitting) : seconds;
}
