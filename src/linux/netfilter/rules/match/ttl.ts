import { refuse } from "../error.ts";
import { parseNumber } from "../number-text.ts";
import { type MatchExtension, not } from "./extension.ts";

export interface TtlMatch {
  readonly mode: "eq" | "lt" | "gt";
  readonly negated: boolean;
  readonly ttl: number;
}

/** `-m ttl` (net/netfilter/xt_hl.c: ttl_mt). */
export const ttl: MatchExtension<TtlMatch> = {
  name: "ttl",
  options: { ttl: 1, "ttl-eq": 1, "ttl-lt": 1, "ttl-gt": 1 },
  parse(options) {
    const o = options[0];
    if (o === undefined || options.length > 1) {
      return refuse("ttl: exactly one of --ttl-eq, --ttl-lt, --ttl-gt must be given");
    }
    const mode = o.name === "ttl-lt" ? "lt" : o.name === "ttl-gt" ? "gt" : "eq";
    if (o.negated && mode !== "eq") refuse(`ttl: --${o.name} cannot be negated`);
    return { mode, negated: o.negated, ttl: parseNumber(o.values[0]!, 255, "ttl") };
  },
  print: (m) => `${not(m.negated)} --ttl-${m.mode} ${m.ttl}`,
  evaluate(m, skb) {
    const n = skb.packet.ttl;
    if (m.mode === "lt") return n < m.ttl;
    if (m.mode === "gt") return n > m.ttl;
    return (n === m.ttl) !== m.negated;
  },
  newState: null,
  pure: true,
};
