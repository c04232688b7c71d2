import {
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  TCPOPT_SACK_PERM,
  TCPOPT_WSCALE,
} from "../../../packet/packet.ts";
import type { Direction, TcpTracking, TcpWindow } from "./entry.ts";

/** Kinds of segments (net/netfilter/nf_conntrack_proto_tcp.c: enum tcp_bit_set). */
export const SYN_SET = 0;
export const SYNACK_SET = 1;
export const FIN_SET = 2;
export const ACK_SET = 3;
export const RST_SET = 4;
export const NONE_SET = 5;

/** IP_CT_TCP_FLAG_*: notes on one direction. */
const FLAG_WINDOW_SCALE = 0x01;
export const FLAG_SACK_PERM = 0x02;
export const FLAG_CLOSE_INIT = 0x04;
export const FLAG_BE_LIBERAL = 0x08;
export const FLAG_DATA_UNACKNOWLEDGED = 0x10;
export const FLAG_MAXACK_SET = 0x20;

/** What the window says of a segment: it fits, it is passed over without any effect, or it is invalid (enum nf_ct_tcp_action). */
const WINDOW_ACCEPT = 0;
export const WINDOW_IGNORE = 1;
export const WINDOW_INVALID = 2;
export type WindowVerdict = 0 | 1 | 2;

/** MAXACKWINCONST */
const ACK_WINDOW = 66_000;
/** Linux offers a scale of 7 with default buffers; an option's value is not carried in a packet. */
const OFFERED_SCALE = 7;

const before = (a: number, b: number): boolean => ((a - b) | 0) < 0;
const after = (a: number, b: number): boolean => before(b, a);
export const seqBefore = before;

/** segment_seq_plus_len: the sequence number after this segment; SYN and FIN count one each. */
export const segmentEnd = (p: Packet): number =>
  (p.seq + p.payloadLength + (p.tcpFlags & TCP_SYN ? 1 : 0) + (p.tcpFlags & TCP_FIN ? 1 : 0)) >>> 0;

/** tcp_options: what a SYN offers. Without any option nothing is changed. */
export function readOptions(p: Packet, window: TcpWindow): void {
  if (p.tcpOptions === 0) return;
  window.scale = 0;
  window.flags = 0;
  if (p.tcpOptions & TCPOPT_SACK_PERM) window.flags |= FLAG_SACK_PERM;
  if (p.tcpOptions & TCPOPT_WSCALE) {
    window.scale = OFFERED_SCALE;
    window.flags |= FLAG_WINDOW_SCALE;
  }
}

/**
 * `tcp_in_window`: is the segment within what the other side has allowed, and its ACK within what was sent? What is
 * too old is passed over; what lies ahead is invalid. `liberal` is net.netfilter.nf_conntrack_tcp_be_liberal;
 * `opening` that the connection is in SYN_SENT or SYN_RECV, `synSent` that it is in SYN_SENT.
 */
export function judgeWindow(
  tcp: TcpTracking,
  p: Packet,
  direction: Direction,
  index: number,
  state: { readonly opening: boolean; readonly synSent: boolean; readonly liberal: boolean },
): WindowVerdict {
  const sender = tcp.seen[direction];
  const receiver = tcp.seen[direction === 0 ? 1 : 0];
  let { seq, ack } = p;
  let end = segmentEnd(p);
  const isSyn = (p.tcpFlags & TCP_SYN) !== 0;
  const isAck = (p.tcpFlags & TCP_ACK) !== 0;
  if (sender.maxWindow === 0) {
    if (isSyn) {
      initSender(sender, receiver, p, end, direction);
      // both sides open at once
      if (!isAck) return WINDOW_ACCEPT;
    } else pickUp(sender, receiver, p, end);
  } else if (isSyn && state.opening && after(end, sender.end)) {
    initSender(sender, receiver, p, end, direction);
    if (direction === 1 && !isAck) return WINDOW_ACCEPT;
  }
  const brokenReset = isAck && (p.tcpFlags & TCP_RST) !== 0 && ack === 0;
  if (!isAck || brokenReset) ack = receiver.end;
  if (p.tcpFlags & TCP_RST && seq === 0 && state.synSent) {
    seq = sender.end;
    end = sender.end;
  }
  const verdict = compare(sender, receiver, seq, end, ack);
  if (verdict !== WINDOW_ACCEPT)
    return state.liberal || sender.flags & FLAG_BE_LIBERAL ? WINDOW_ACCEPT : verdict;
  advance(sender, receiver, p, end, ack);
  if (index === ACK_SET) countRetransmission(tcp, direction, seq, ack, end, p.window);
  return WINDOW_ACCEPT;
}

/** The four bounds, in the kernel's order. */
function compare(
  sender: TcpWindow,
  receiver: TcpWindow,
  seq: number,
  end: number,
  ack: number,
): WindowVerdict {
  const ackLow = after(ack, (receiver.end - Math.max(sender.maxWindow, ACK_WINDOW) - 1) >>> 0);
  const ackHigh = before(ack, (receiver.end + 1) >>> 0);
  const inReceiveWindow = after(end, (sender.end - receiver.maxWindow - 1) >>> 0);
  if (!before(seq, (sender.maxEnd + 1) >>> 0)) {
    const overshot = (end - sender.maxEnd + 1) >>> 0;
    if (receiver.maxWindow === 0 || !inReceiveWindow || !ackLow || !ackHigh || overshot > receiver.maxWindow)
      return WINDOW_INVALID;
    // somebody sends a little more than he may: be ready for its acknowledgment
    sender.end = end;
    sender.flags |= FLAG_DATA_UNACKNOWLEDGED;
    return WINDOW_IGNORE;
  }
  if (!ackHigh) return WINDOW_INVALID;
  if (receiver.maxWindow !== 0 && !inReceiveWindow) return WINDOW_IGNORE;
  return ackLow ? WINDOW_ACCEPT : WINDOW_IGNORE;
}

/** A segment that fits moves the windows of both sides. */
function advance(sender: TcpWindow, receiver: TcpWindow, p: Packet, end: number, ack: number): void {
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
}

/** `tcp_init_sender`: a SYN tells where a direction begins. Scaling holds only when both sides offer it. */
function initSender(
  sender: TcpWindow,
  receiver: TcpWindow,
  p: Packet,
  end: number,
  direction: Direction,
): void {
  sender.end = end;
  sender.maxEnd = end;
  sender.maxWindow = p.window || 1;
  readOptions(p, sender);
  if (direction === 1 && !(sender.flags & receiver.flags & FLAG_WINDOW_SCALE)) {
    sender.scale = 0;
    receiver.scale = 0;
  }
}

/** The first segment of a direction whose SYN nobody saw. */
function pickUp(sender: TcpWindow, receiver: TcpWindow, p: Packet, end: number): void {
  sender.end = end;
  sender.maxWindow = p.window << sender.scale || 1;
  sender.maxEnd = (end + sender.maxWindow) >>> 0;
  if (receiver.maxWindow === 0) {
    receiver.end = p.ack;
    receiver.maxEnd = p.ack;
  } else if (p.ack === (receiver.end + 1) >>> 0) receiver.end = p.ack;
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
