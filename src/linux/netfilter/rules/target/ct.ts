import type { Skb } from "../../../skb.ts";
import { IP_CT_UNTRACKED } from "../../conntrack/entry.ts";
import { unmodelled } from "../error.ts";
import { TARGET_CONTINUE, TARGET_EXECUTE, type TargetOutcome } from "../verdict.ts";
import type { TargetExtension } from "./target.ts";

/** A packet that has an entry already keeps it. */
function untrack(_target: null, skb: Skb): TargetOutcome {
  if (skb.ct === null && skb.ctinfo === 0) skb.ctinfo = IP_CT_UNTRACKED;
  return TARGET_CONTINUE;
}

/** `-j NOTRACK` (net/netfilter/xt_CT.c: notrack_tg). */
export const notrack: TargetExtension<null> = {
  name: "NOTRACK",
  options: {},
  tables: ["raw"],
  code: TARGET_EXECUTE,
  parse: () => null,
  print: () => "",
  execute: untrack,
};

/** `-j CT --notrack`; zones, helpers, events and timeouts of their own are not modelled. */
export const ct: TargetExtension<null> = {
  name: "CT",
  options: {
    notrack: 0,
    zone: 1,
    "zone-orig": 1,
    "zone-reply": 1,
    helper: 1,
    ctevents: 1,
    expevents: 1,
    timeout: 1,
  },
  tables: ["raw"],
  code: TARGET_EXECUTE,
  parse(options) {
    const other = options.find((o) => o.name !== "notrack");
    if (other !== undefined) unmodelled(`CT: --${other.name} is not modelled`);
    return options.length === 0 ? unmodelled("CT: an entry without --notrack is not modelled") : null;
  },
  print: () => " --notrack",
  execute: untrack,
};
