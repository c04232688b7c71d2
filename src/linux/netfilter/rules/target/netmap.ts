import { parseMasked, printMasked } from "../address-text.ts";
import { required } from "../match/extension.ts";
import { WALK_NAT } from "../verdict.ts";
import type { NetmapTarget, TargetExtension } from "./target.ts";

/** `-j NETMAP` (net/netfilter/xt_NETMAP.c: netmap_tg4). */
export const netmap: TargetExtension<NetmapTarget> = {
  name: "NETMAP",
  options: { to: 1 },
  tables: ["nat"],
  code: WALK_NAT,
  parse(options) {
    const to = parseMasked(required(options, "to", "NETMAP").values[0]!, "NETMAP");
    return { type: "NETMAP", address: to.address, mask: to.mask };
  },
  print: (t) => ` --to ${printMasked(t)}`,
  execute: null,
};
