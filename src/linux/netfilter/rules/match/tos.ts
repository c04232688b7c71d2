import { refuse } from "../error.ts";
import { hex2, parseNumber } from "../number-text.ts";
import { parseDscpClass, parseTos } from "../tos-text.ts";
import { type MatchExtension, not, option, required } from "./extension.ts";

export interface TosMatch {
  readonly value: number;
  readonly mask: number;
  readonly negated: boolean;
}

/** `-m tos` (net/netfilter/xt_dscp.c: tos_mt). */
export const tos: MatchExtension<TosMatch> = {
  name: "tos",
  options: { tos: 1 },
  parse(options) {
    const o = required(options, "tos", "tos");
    return { ...parseTos(o.values[0]!, "tos"), negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --tos ${hex2(m.value)}/${hex2(m.mask)}`,
  evaluate: (m, skb) => ((skb.packet.tos & m.mask) === m.value) !== m.negated,
  newState: null,
  pure: true,
};

/** `-m dscp` (net/netfilter/xt_dscp.c: dscp_mt). */
export const dscp: MatchExtension<{ readonly dscp: number; readonly negated: boolean }> = {
  name: "dscp",
  options: { dscp: 1, "dscp-class": 1 },
  parse(options) {
    const number = option(options, "dscp");
    const name = option(options, "dscp-class");
    if (number !== null && name === null) {
      return { dscp: parseNumber(number.values[0]!, 63, "dscp"), negated: number.negated };
    }
    if (name === null || number !== null) return refuse("dscp: one of --dscp and --dscp-class must be given");
    return { dscp: parseDscpClass(name.values[0]!, "dscp"), negated: name.negated };
  },
  print: (m) => `${not(m.negated)} --dscp ${hex2(m.dscp)}`,
  evaluate: (m, skb) => (skb.packet.tos >> 2 === m.dscp) !== m.negated,
  newState: null,
  pure: true,
};
