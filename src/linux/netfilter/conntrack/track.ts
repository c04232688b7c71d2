import {
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  isIcmpError,
  type Packet,
} from "../../../packet/packet.ts";
import type { Netns } from "../../netns.ts";
import type { ConntrackEvent } from "../../recorder.ts";
import type { Skb } from "../../skb.ts";
import { type Hook, NF_ACCEPT, NF_DROP, type Verdict } from "../hooks.ts";
import { describe } from "./describe.ts";
import { directionOf } from "./direction.ts";
import {
  Conntrack,
  type Direction,
  IP_CT_DIR_REPLY,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IP_CT_UNTRACKED,
  IPS_EXPECTED,
  IPS_SEEN_REPLY,
  keepConntrack,
} from "./entry.ts";
import { trackGeneric, trackIcmp, trackSctp, trackUdp } from "./protocols.ts";
import type { ConntrackTable } from "./table.ts";
import { TRACK_DROP, TRACK_INVALID, TRACK_KILL, TRACK_REPEAT, type Tracked, trackTcp } from "./tcp.ts";
import { invertTuple, tupleOfPacket } from "./tuple.ts";

/**
 * `nf_conntrack_in` (net/netfilter/nf_conntrack_core.c), at PREROUTING and OUTPUT: which connection does this packet
 * belong to? Sets `skb.ct` and `skb.ctinfo`; a packet that belongs nowhere (INVALID) goes on without.
 */
export function conntrackIn(netns: Netns, table: ConntrackTable, skb: Skb, hook: Hook): Verdict {
  // seen before (loopback, or attached to an error), or told not to be tracked
  if (skb.ct !== null || skb.ctinfo === IP_CT_UNTRACKED) return NF_ACCEPT;
  const p = skb.packet;
  if (isIcmpError(p)) {
    relatedError(netns, table, skb);
    return NF_ACCEPT;
  }
  for (;;) {
    const isNew = resolve(netns, table, skb);
    if (isNew === "none") return NF_ACCEPT;
    if (isNew === "full") return tableFull(netns, skb, hook);
    const ct = skb.ct!;
    const { journal } = netns.clock;
    if (journal !== null) keepConntrack(journal, ct);
    const tracked = follow(netns, ct, p, directionOf(skb.ctinfo), isNew);
    if (tracked === TRACK_REPEAT) {
      table.remove(ct);
      skb.ct = null;
      skb.ctinfo = 0;
      continue;
    }
    if (tracked === TRACK_INVALID || tracked === TRACK_DROP) {
      report(netns, skb, "invalid", ct);
      skb.ct = null;
      skb.ctinfo = 0;
      return tracked === TRACK_DROP ? drop(netns, skb, hook) : NF_ACCEPT;
    }
    if (tracked === TRACK_KILL) table.remove(ct);
    if (skb.ctinfo === IP_CT_ESTABLISHED_REPLY && (ct.status & IPS_SEEN_REPLY) === 0) {
      ct.status |= IPS_SEEN_REPLY;
      report(netns, skb, "reply", ct);
    }
    return NF_ACCEPT;
  }
}

/**
 * `resolve_normal_ct`: finds the connection, or begins one (which is listed only once it is confirmed).
 * True for a new one; `none` when such a packet belongs to none, `full` when the table is.
 */
function resolve(netns: Netns, table: ConntrackTable, skb: Skb): boolean | "none" | "full" {
  const p = skb.packet;
  const found = findPacket(table, p);
  const { ct } = found;
  if (ct !== null) {
    skb.ct = ct;
    skb.ctinfo = infoOf(ct, found.direction);
    return false;
  }
  const original = tupleOfPacket(p);
  const reply = invertTuple(original);
  if (reply === null) return "none";
  const max = netns.sysctl.scalar["net.netfilter.nf_conntrack_max"];
  if (max !== 0 && table.size >= max && !table.earlyDrop()) {
    skb.ctinfo = IP_CT_NEW;
    return "full";
  }
  skb.ct = new Conntrack(original, reply);
  netns.clock.journal?.fresh(skb.ct);
  skb.ctinfo = IP_CT_NEW;
  report(netns, skb, "new", skb.ct);
  return true;
}

/** The look-up by a packet's own tuple, without making one. */
function findPacket(table: ConntrackTable, p: Packet) {
  switch (p.protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
      return table.find(p.src, p.dst, p.sport, p.dport, p.protocol);
    case IPPROTO_ICMP:
      return table.find(p.src, p.dst, p.icmpId, p.icmpType * 256 + p.icmpCode, p.protocol);
    default:
      return table.find(p.src, p.dst, 0, 0, p.protocol);
  }
}

function infoOf(ct: Conntrack, direction: Direction): number {
  if (direction === IP_CT_DIR_REPLY) return IP_CT_ESTABLISHED_REPLY;
  if (ct.status & IPS_SEEN_REPLY) return IP_CT_ESTABLISHED;
  return ct.status & IPS_EXPECTED ? IP_CT_RELATED : IP_CT_NEW;
}

/** `nf_conntrack_handle_packet` */
function follow(netns: Netns, ct: Conntrack, p: Packet, direction: Direction, isNew: boolean): Tracked {
  const { sysctl } = netns;
  const now = netns.clock.nowUs;
  switch (p.protocol) {
    case IPPROTO_TCP:
      return trackTcp(ct, p, direction, isNew, sysctl, now);
    case IPPROTO_UDP:
      return trackUdp(ct, sysctl, now);
    case IPPROTO_ICMP:
      return trackIcmp(ct, p, isNew, sysctl, now);
    case IPPROTO_SCTP:
      return trackSctp(ct, direction, sysctl, now);
    default:
      return trackGeneric(ct, sysctl, now);
  }
}

/**
 * `nf_conntrack_inet_error`: an ICMP error is RELATED to the connection of the packet that it quotes, if it is sent
 * to whom that connection's packets come from.
 */
function relatedError(netns: Netns, table: ConntrackTable, skb: Skb): void {
  const quoted = skb.packet.inner;
  if (quoted === null) return;
  const answer = invertTuple(tupleOfPacket(quoted));
  if (answer === null) return;
  const found = table.findTuple(answer);
  const { ct, direction } = found;
  if (ct === null) return;
  const expected = direction === IP_CT_DIR_REPLY ? ct.reply.dst : ct.original.dst;
  if (expected !== skb.packet.dst) return;
  skb.ct = ct;
  skb.ctinfo = direction === IP_CT_DIR_REPLY ? IP_CT_RELATED_REPLY : IP_CT_RELATED;
  report(netns, skb, "related", ct);
}

/** More connections than net.netfilter.nf_conntrack_max, and none that could be given up. */
function tableFull(netns: Netns, skb: Skb, hook: Hook): Verdict {
  skb.ctinfo = 0;
  netns.drop(skb, "NETFILTER_DROP", "nf_conntrack_in", { hook }, "nf_conntrack: table full, dropping packet");
  return NF_DROP;
}

function drop(netns: Netns, skb: Skb, hook: Hook): Verdict {
  netns.drop(skb, "NETFILTER_DROP", "nf_conntrack_in", { hook });
  return NF_DROP;
}

function report(netns: Netns, skb: Skb, action: ConntrackEvent["action"], ct: Conntrack): void {
  const recorder = netns.network.recorder;
  if (recorder !== null) recorder.record(describe(netns, skb.serial, action, ct));
}
