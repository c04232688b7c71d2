import { refuse } from "../error.ts";
import { parseNumber } from "../number-text.ts";
import { type MatchExtension, not, option, required } from "./extension.ts";

export type StatisticMatch =
  | { readonly mode: "random"; readonly threshold: number; readonly negated: boolean }
  | { readonly mode: "nth"; readonly every: number; readonly packet: number; readonly negated: boolean };

/** How many packets have passed since the last match (`master->count`). */
export interface NthState {
  count: number;
}

/** C's lround of `2^31 * probability`. */
const toThreshold = (probability: number): number => Math.floor(probability * 0x80000000 + 0.5);

/**
 * `-m statistic` (net/netfilter/xt_statistic.c: statistic_mt). A probability is kept in 31 bits, which is why
 * 0.3333333333 is printed as 0.33333333349.
 */
export const statistic: MatchExtension<StatisticMatch, NthState> = {
  name: "statistic",
  options: { mode: 1, probability: 1, every: 1, packet: 1 },
  parse(options) {
    const mode = required(options, "mode", "statistic").values[0];
    if (mode === "random") {
      const o = required(options, "probability", "statistic");
      const probability = /^(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(o.values[0]!) ? Number(o.values[0]) : -1;
      if (!(probability >= 0 && probability <= 1)) refuse(`statistic: bad probability "${o.values[0]}"`);
      return { mode, threshold: toThreshold(probability), negated: o.negated };
    }
    if (mode !== "nth") return refuse(`statistic: bad mode "${mode}"`);
    const every = required(options, "every", "statistic");
    const n = parseNumber(every.values[0]!, 0xffffffff, "statistic --every", 1);
    const o = option(options, "packet");
    if (o === null) return refuse('statistic: option "--every" also requires "--packet"');
    const packet = parseNumber(o.values[0]!, 0xffffffff, "statistic --packet");
    if (packet >= n) refuse("statistic: the --packet p must be 0 <= p <= n-1");
    return { mode, every: n, packet, negated: every.negated };
  },
  print(m) {
    if (m.mode === "random") {
      return ` --mode random${not(m.negated)} --probability ${(m.threshold / 0x80000000).toFixed(11)}`;
    }
    return ` --mode nth${not(m.negated)} --every ${m.every} --packet ${m.packet}`;
  },
  evaluate(m, _skb, context, state) {
    if (m.mode === "random") return context.host.chooser.chance(m.threshold) !== m.negated;
    state.count = state.count === m.every - 1 ? 0 : state.count + 1;
    return (state.count === 0) !== m.negated;
  },
  remembers: (m) => m.mode === "nth",
  newState: (m) => ({ count: m.mode === "nth" ? m.every - 1 - m.packet : 0 }),
  pure: false,
};
