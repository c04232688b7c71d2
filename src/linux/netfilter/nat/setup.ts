import type { Netns } from "../../netns.ts";
import {
  type Conntrack,
  IPS_CONFIRMED,
  IPS_DST_NAT,
  IPS_DST_NAT_DONE,
  IPS_SRC_NAT,
  IPS_SRC_NAT_DONE,
} from "../conntrack/entry.ts";
import type { ConntrackTable } from "../conntrack/table.ts";
import { invertTuple, tupleEqual } from "../conntrack/tuple.ts";
import { NF_ACCEPT, type Verdict } from "../hooks.ts";
import type { NatRange } from "./range.ts";
import { toAddress } from "./range.ts";
import { getUniqueTuple, type Manip } from "./unique-tuple.ts";

/** `nf_nat_initialized`: has it been decided for this end of the connection? */
export const natInitialized = (ct: Conntrack, manip: Manip): boolean =>
  (ct.status & (manip === "source" ? IPS_SRC_NAT_DONE : IPS_DST_NAT_DONE)) !== 0;

/** `nf_nat_setup_info` (net/netfilter/nf_nat_core.c): decides the translation of a connection that is not listed yet. */
export function natSetupInfo(
  netns: Netns,
  table: ConntrackTable,
  ct: Conntrack,
  range: NatRange,
  manip: Manip,
): Verdict {
  if ((ct.status & IPS_CONFIRMED) !== 0) return NF_ACCEPT;
  netns.clock.journal?.keep(ct);
  const current = invertTuple(ct.reply)!;
  const wanted = getUniqueTuple(table, netns.chooser, current, range, ct, manip);
  if (!tupleEqual(wanted, current)) {
    ct.reply = invertTuple(wanted)!;
    ct.status |= manip === "source" ? IPS_SRC_NAT : IPS_DST_NAT;
  }
  decided(table, ct, manip);
  return NF_ACCEPT;
}

function decided(table: ConntrackTable, ct: Conntrack, manip: Manip): void {
  if (manip === "source") table.rememberSource(ct);
  ct.status |= manip === "source" ? IPS_SRC_NAT_DONE : IPS_DST_NAT_DONE;
}

/** `nf_nat_alloc_null_binding`: no rule wants a translation, so the addresses stay; the port too unless it is taken. */
export function natNullBinding(netns: Netns, table: ConntrackTable, ct: Conntrack, manip: Manip): Verdict {
  if ((ct.status & IPS_CONFIRMED) !== 0) return NF_ACCEPT;
  if (table.taken(ct.reply, ct))
    return natSetupInfo(netns, table, ct, toAddress(manip === "source" ? ct.reply.dst : ct.reply.src), manip);
  // getUniqueTuple would give back what it was given: most connections of a node come this way
  netns.clock.journal?.keep(ct);
  decided(table, ct, manip);
  return NF_ACCEPT;
}
