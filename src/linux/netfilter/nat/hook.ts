import { IPPROTO_ICMP } from "../../../packet/packet.ts";
import type { NetDevice } from "../../device/device.ts";
import type { Netns } from "../../netns.ts";
import type { Skb } from "../../skb.ts";
import { directionOf } from "../conntrack/direction.ts";
import { IP_CT_DIR_ORIGINAL, IP_CT_NEW, IP_CT_RELATED, IP_CT_RELATED_REPLY } from "../conntrack/entry.ts";
import type { ConntrackTable } from "../conntrack/table.ts";
import {
  type Hook,
  NF_ACCEPT,
  NF_DROP,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  type Verdict,
} from "../hooks.ts";
import { natIcmpReply } from "./icmp-reply.ts";
import { natPacket } from "./manip.ts";
import { natInitialized, natNullBinding } from "./setup.ts";
import type { Manip } from "./unique-tuple.ts";

/** HOOK2MANIP: what is translated where. */
export const manipAt = (hook: Hook): Manip =>
  hook === NF_INET_PRE_ROUTING || hook === NF_INET_LOCAL_OUT ? "destination" : "source";

/** Asks the nat tables' chains of this hook; they decide the connection's translation or leave it open. */
export type WalkNatChains = (
  skb: Skb,
  hook: Hook,
  indev: NetDevice | null,
  outdev: NetDevice | null,
) => Verdict;

/**
 * `nf_nat_inet_fn` (net/netfilter/nf_nat_core.c): the first packet of a connection asks the rules, every packet is
 * translated as was decided then. ICMP errors never ask.
 */
export function natHook(
  netns: Netns,
  table: ConntrackTable,
  skb: Skb,
  hook: Hook,
  indev: NetDevice | null,
  outdev: NetDevice | null,
  walk: WalkNatChains,
): Verdict {
  const { ct, ctinfo } = skb;
  if (ct === null) return NF_ACCEPT;
  const manip = manipAt(hook);
  const related = ctinfo === IP_CT_RELATED || ctinfo === IP_CT_RELATED_REPLY;
  if (related && skb.packet.protocol === IPPROTO_ICMP) {
    if (natIcmpReply(netns, skb, hook, manip)) return NF_ACCEPT;
    netns.drop(skb, "NETFILTER_DROP", "nf_nat_icmp_reply_translation", { hook, table: "nat" });
    return NF_DROP;
  }
  if ((ctinfo === IP_CT_NEW || related) && !natInitialized(ct, manip)) {
    const verdict = walk(skb, hook, indev, outdev);
    if (verdict !== NF_ACCEPT) return verdict;
    if (!natInitialized(ct, manip)) natNullBinding(netns, table, ct, manip);
  } else if (outputChanged(skb, hook, outdev)) {
    // the masquerading address belongs to a device that this packet does not leave by
    table.remove(ct);
    netns.drop(
      skb,
      "NETFILTER_DROP",
      "nf_nat_inet_fn",
      { hook, table: "nat" },
      "the masquerading device has changed",
    );
    return NF_DROP;
  }
  natPacket(netns, skb, hook, manip);
  return NF_ACCEPT;
}

/** `nf_nat_oif_changed` */
function outputChanged(skb: Skb, hook: Hook, outdev: NetDevice | null): boolean {
  const index = skb.ct!.masqueradeIfindex;
  return (
    index !== 0 &&
    hook === NF_INET_POST_ROUTING &&
    directionOf(skb.ctinfo) === IP_CT_DIR_ORIGINAL &&
    outdev !== null &&
    index !== outdev.ifindex
  );
}
