import { ICMP_REDIRECT } from "../../../packet/packet.ts";
import type { Netns } from "../../netns.ts";
import type { Skb } from "../../skb.ts";
import { directionOf } from "../conntrack/direction.ts";
import {
  IP_CT_DIR_REPLY,
  IPS_DST_NAT,
  IPS_DST_NAT_DONE,
  IPS_SRC_NAT,
  IPS_SRC_NAT_DONE,
} from "../conntrack/entry.ts";
import { HOOK_NAMES, type Hook } from "../hooks.ts";
import { imposeEnd, manipApplies } from "./manip.ts";
import type { Manip } from "./unique-tuple.ts";

/**
 * `nf_nat_icmp_reply_translation` (net/netfilter/nf_nat_proto.c): an ICMP error of a translated connection. The packet
 * that it quotes is turned back into what its sender had sent, and the error's own address with it, so that a router
 * behind the translation answers in the name of the translated address. False when it must not pass: redirects.
 */
export function natIcmpReply(netns: Netns, skb: Skb, hook: Hook, manip: Manip): boolean {
  const ct = skb.ct!;
  const p = skb.packet;
  if (p.icmpType === ICMP_REDIRECT) {
    const done = IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
    if ((ct.status & done) !== done || (ct.status & (IPS_SRC_NAT | IPS_DST_NAT)) !== 0) return false;
  }
  const direction = directionOf(skb.ctinfo);
  if (p.inner === null || !manipApplies(ct, direction, manip)) return true;
  const recorder = netns.network.recorder;
  const before = recorder === null ? null : p.clone();
  // what is quoted went the other way: its other end is put back to what it was in that direction
  const opposite = manip === "source" ? "destination" : "source";
  const look = direction === IP_CT_DIR_REPLY ? ct.original : ct.reply;
  const quoted = p.inner.clone();
  imposeEnd(quoted, look, opposite);
  if (quoted.datagram !== null) {
    quoted.datagram = quoted.datagram.clone();
    imposeEnd(quoted.datagram, look, opposite);
  }
  p.inner = quoted;
  if (manip === "source") p.src = look.dst;
  else p.dst = look.src;
  if (recorder !== null && before !== null) {
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
  return true;
}
