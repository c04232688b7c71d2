import { IPPROTO_ICMP, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP, type Packet } from "../../../packet/packet.ts";
import type { Netns } from "../../netns.ts";
import type { Skb } from "../../skb.ts";
import { directionOf } from "../conntrack/direction.ts";
import {
  type Conntrack,
  type Direction,
  IP_CT_DIR_REPLY,
  IPS_DST_NAT,
  IPS_SRC_NAT,
  type Tuple,
} from "../conntrack/entry.ts";
import { HOOK_NAMES, type Hook } from "../hooks.ts";
import type { Manip } from "./unique-tuple.ts";

/** Which translation does a packet of this direction need at this end? The answer's is the question's turned round. */
export function manipApplies(ct: Conntrack, direction: Direction, manip: Manip): boolean {
  const source = (manip === "source") !== (direction === IP_CT_DIR_REPLY);
  return (ct.status & (source ? IPS_SRC_NAT : IPS_DST_NAT)) !== 0;
}

/** `nf_nat_packet`: translates the packet as its connection says. */
export function natPacket(netns: Netns, skb: Skb, hook: Hook, manip: Manip): void {
  const ct = skb.ct!;
  const direction = directionOf(skb.ctinfo);
  if (!manipApplies(ct, direction, manip)) return;
  const p = skb.packet;
  const recorder = netns.network.recorder;
  const before = recorder === null ? null : p.clone();
  manipPacket(p, direction === IP_CT_DIR_REPLY ? ct.original : ct.reply, manip);
  if (recorder === null || before === null || sameEnds(p, before)) return;
  recorder.record({
    type: "nat",
    timeUs: netns.clock.nowUs,
    netns: netns.name,
    serial: skb.serial,
    hook: HOOK_NAMES[hook],
    manip,
    before,
    after: p.clone(),
  });
}

const sameEnds = (a: Packet, b: Packet): boolean =>
  a.src === b.src && a.dst === b.dst && a.sport === b.sport && a.dport === b.dport && a.icmpId === b.icmpId;

/** `nf_nat_manip_pkt`: `answer` is what the packets the other way look like; this one becomes its inverse at one end. */
function manipPacket(p: Packet, answer: Tuple, manip: Manip): void {
  const ports = p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP || p.protocol === IPPROTO_SCTP;
  if (manip === "source") {
    p.src = answer.dst;
    if (ports) p.sport = answer.dport;
  } else {
    p.dst = answer.src;
    if (ports) p.dport = answer.sport;
  }
  if (p.protocol === IPPROTO_ICMP) p.icmpId = answer.sport;
}

/** Gives a packet one end of the tuple that it shall look like: for a packet that is quoted, not sent. */
export function imposeEnd(p: Packet, look: Tuple, manip: Manip): void {
  const ports = p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP || p.protocol === IPPROTO_SCTP;
  if (manip === "source") {
    p.src = look.src;
    if (ports) p.sport = look.sport;
  } else {
    p.dst = look.dst;
    if (ports) p.dport = look.dport;
  }
  if (p.protocol === IPPROTO_ICMP) p.icmpId = look.sport;
}
