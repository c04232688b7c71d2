import { IPPROTO_TCP, TCPOPT_MSS } from "../../../../packet/packet.ts";
import { refuse } from "../error.ts";
import { parseRange } from "../number-text.ts";
import { type MatchExtension, not, required } from "./extension.ts";

export interface TcpmssMatch {
  readonly min: number;
  readonly max: number;
  readonly negated: boolean;
}

/** `-m tcpmss` (net/netfilter/xt_tcpmss.c: tcpmss_mt): a segment without the option never fits. */
export const tcpmss: MatchExtension<TcpmssMatch> = {
  name: "tcpmss",
  options: { mss: 1 },
  parse(options, head) {
    if (head.protocol !== IPPROTO_TCP || head.protocolNegated) refuse('tcpmss: needs "-p tcp"');
    const o = required(options, "mss", "tcpmss");
    return { ...parseRange(o.values[0]!, 0xffff, "tcpmss"), negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --mss ${m.min === m.max ? m.min : `${m.min}:${m.max}`}`,
  evaluate(m, skb) {
    const p = skb.packet;
    if ((p.tcpOptions & TCPOPT_MSS) === 0) return m.negated;
    return (p.mss >= m.min && p.mss <= m.max) !== m.negated;
  },
  newState: null,
  pure: true,
};
