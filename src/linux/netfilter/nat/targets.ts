import type { NetDevice } from "../../device/device.ts";
import { selectSource } from "../../ip/address.ts";
import type { Netns } from "../../netns.ts";
import type { Skb } from "../../skb.ts";
import type { ConntrackTable } from "../conntrack/table.ts";
import { type Hook, NF_ACCEPT, NF_DROP, NF_INET_LOCAL_OUT, type Verdict } from "../hooks.ts";
import type { NatTarget } from "../rules/target/target.ts";
import { toAddress } from "./range.ts";
import { natSetupInfo } from "./setup.ts";
import type { Manip } from "./unique-tuple.ts";

/** Carries out the NAT target that a walk of the nat table ended with. NF_DROP when it cannot be. */
export function applyNatTarget(
  netns: Netns,
  table: ConntrackTable,
  skb: Skb,
  target: NatTarget,
  hook: Hook,
  manip: Manip,
  indev: NetDevice | null,
  outdev: NetDevice | null,
): Verdict {
  const ct = skb.ct!;
  switch (target.type) {
    case "DNAT":
    case "SNAT":
      return natSetupInfo(netns, table, ct, target, manip);
    case "MASQUERADE": {
      // nf_nat_masquerade_ipv4: a packet that has no source yet is not meant
      if (ct.original.src === 0) return NF_ACCEPT;
      const address = selectSource(outdev!, skb.route!.gateway || skb.packet.dst, 0);
      if (address === 0) return NF_DROP;
      netns.clock.journal?.keep(ct);
      ct.masqueradeIfindex = outdev!.ifindex;
      return natSetupInfo(netns, table, ct, toAddress(address, target), manip);
    }
    case "REDIRECT": {
      const address = hook === NF_INET_LOCAL_OUT ? 0x7f000001 : (indev!.addresses[0]?.local ?? 0);
      if (address === 0) return NF_DROP;
      return natSetupInfo(netns, table, ct, toAddress(address, target), manip);
    }
    case "NETMAP": {
      const current = manip === "source" ? skb.packet.src : skb.packet.dst;
      const address = ((current & ~target.mask) | (target.address & target.mask)) >>> 0;
      return natSetupInfo(netns, table, ct, toAddress(address), manip);
    }
  }
}
