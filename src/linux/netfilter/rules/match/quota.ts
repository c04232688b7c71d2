import { ipTotalLength } from "../../../../packet/packet.ts";
import { parseNumber } from "../number-text.ts";
import { type MatchExtension, not, required } from "./extension.ts";

export interface QuotaMatch {
  /** Bytes. */
  readonly quota: number;
  readonly negated: boolean;
}

/** `-m quota` (net/netfilter/xt_quota.c: quota_mt): the packet that is too big for the rest uses the rest up. */
export const quota: MatchExtension<QuotaMatch, { left: number }> = {
  name: "quota",
  options: { quota: 1 },
  parse(options) {
    const o = required(options, "quota", "quota");
    return { quota: parseNumber(o.values[0]!, Number.MAX_SAFE_INTEGER, "quota"), negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --quota ${m.quota}`,
  evaluate(m, skb, _context, state) {
    const bytes = ipTotalLength(skb.packet);
    if (state.left < bytes) {
      state.left = 0;
      return m.negated;
    }
    state.left -= bytes;
    return !m.negated;
  },
  newState: (m) => ({ left: m.quota }),
  pure: false,
};
