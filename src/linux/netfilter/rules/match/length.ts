import { ipTotalLength } from "../../../../packet/packet.ts";
import { parseRange } from "../number-text.ts";
import { type MatchExtension, not, required } from "./extension.ts";

export interface LengthMatch {
  /** Bytes of the IP packet, header included. */
  readonly min: number;
  readonly max: number;
  readonly negated: boolean;
}

/** `-m length` (net/netfilter/xt_length.c: length_mt). */
export const length: MatchExtension<LengthMatch> = {
  name: "length",
  options: { length: 1 },
  parse(options) {
    const o = required(options, "length", "length");
    return { ...parseRange(o.values[0]!, 0xffff, "length"), negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --length ${m.min === m.max ? m.min : `${m.min}:${m.max}`}`,
  evaluate(m, skb) {
    const bytes = ipTotalLength(skb.packet);
    return (bytes >= m.min && bytes <= m.max) !== m.negated;
  },
  newState: null,
  pure: true,
};
