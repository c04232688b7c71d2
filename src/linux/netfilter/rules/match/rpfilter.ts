import { RTN_LOCAL, RTN_UNICAST } from "../../context.ts";
import { type MatchExtension, option } from "./extension.ts";

export interface RpfilterMatch {
  readonly loose: boolean;
  readonly validMark: boolean;
  readonly acceptLocal: boolean;
  readonly invert: boolean;
}

/**
 * `-m rpfilter` (net/ipv4/netfilter/ipt_rpfilter.c: rpfilter_mt). The namespace looks the source up; `--accept-local`
 * takes packets from addresses of this host too.
 */
export const rpfilter: MatchExtension<RpfilterMatch> = {
  name: "rpfilter",
  options: { loose: 0, validmark: 0, "accept-local": 0, invert: 0 },
  parse: (options) => ({
    loose: option(options, "loose") !== null,
    validMark: option(options, "validmark") !== null,
    acceptLocal: option(options, "accept-local") !== null,
    invert: option(options, "invert") !== null,
  }),
  print: (m) =>
    (m.loose ? " --loose" : "") +
    (m.validMark ? " --validmark" : "") +
    (m.acceptLocal ? " --accept-local" : "") +
    (m.invert ? " --invert" : ""),
  evaluate(m, skb, context) {
    const p = skb.packet;
    if (context.at.in?.kind === "loopback") return !m.invert;
    // DHCP and IGMP speak before they have an address
    const zeronet = p.src >>> 24 === 0;
    if (zeronet && (p.dst === 0xffffffff || p.dst >>> 8 === 0xe00000)) return !m.invert;
    const type = context.host.addressType(p.src, null);
    const usable = type === RTN_UNICAST || (type === RTN_LOCAL && m.acceptLocal);
    return (usable && context.host.reversePath(skb, m.loose, m.validMark)) !== m.invert;
  },
  newState: null,
  pure: true,
};
