import type { Netns } from "../../netns.ts";
import type { Skb } from "../../skb.ts";
import { type Hook, NF_ACCEPT, NF_DROP, NF_INET_POST_ROUTING, type Verdict } from "../hooks.ts";
import { describe } from "./describe.ts";
import { directionOf } from "./direction.ts";
import { IP_CT_DIR_ORIGINAL, IPS_CONFIRMED } from "./entry.ts";

/**
 * `__nf_conntrack_confirm` (net/netfilter/nf_conntrack_core.c), last at INPUT and POSTROUTING: a new connection's
 * first packet has got through, so the connection is listed. If another has taken one of its tuples meanwhile, the
 * race is lost and the packet with it (`insert_failed`).
 */
export function confirm(netns: Netns, skb: Skb, hook: Hook = NF_INET_POST_ROUTING): Verdict {
  const { ct } = skb;
  if (ct === null || (ct.status & IPS_CONFIRMED) !== 0) return NF_ACCEPT;
  // an error or reset that a rule made in answer to the first packet does not make the connection
  if (directionOf(skb.ctinfo) !== IP_CT_DIR_ORIGINAL) return NF_ACCEPT;
  const table = netns.netfilter.conntrack;
  if (table === null) return NF_ACCEPT;
  const recorder = netns.network.recorder;
  if (table.taken(ct.original, ct) || table.taken(ct.reply, ct)) {
    if (recorder !== null) recorder.record(describe(netns, skb.serial, "insert-failed", ct));
    netns.drop(
      skb,
      "NETFILTER_DROP",
      "__nf_conntrack_confirm",
      { hook },
      "insert_failed: the tuple is taken",
    );
    return NF_DROP;
  }
  table.insert(ct);
  if (recorder !== null) recorder.record(describe(netns, skb.serial, "confirm", ct));
  return NF_ACCEPT;
}
