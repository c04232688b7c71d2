import { refuse } from "../error.ts";
import { parseNumber } from "../number-text.ts";
import { type MatchExtension, option } from "./extension.ts";

export interface LimitMatch {
  /** Time between two packets in ten-thousandths of a second (XT_LIMIT_SCALE). */
  readonly average: number;
  readonly burst: number;
}

export interface LimitState {
  previousJiffies: number;
  credit: number;
}

const SCALE = 10_000;
/** Jiffies a second, as distributions build their kernels (CONFIG_HZ=250). */
const HZ = 250;
/** POW2_BELOW32(0xFFFFFFFF / (HZ * 60 * 60 * 24)) for this HZ. */
const CREDITS_PER_JIFFY = 128;

const UNITS: readonly (readonly [string, number])[] = [
  ["day", SCALE * 86400],
  ["hour", SCALE * 3600],
  ["min", SCALE * 60],
  ["sec", SCALE],
];

/** `RATE[/second|/minute|/hour|/day]`, the unit by any beginning of its name (extensions/libxt_limit.c: parse_rate). */
function parseRate(text: string): number {
  const [rate, unit] = text.split("/");
  const word = (unit ?? "second").toLowerCase();
  const names: readonly (readonly [string, number])[] = [
    ["second", 1],
    ["minute", 60],
    ["hour", 3600],
    ["day", 86400],
  ];
  const seconds = word === "" ? undefined : names.find(([name]) => name.startsWith(word))?.[1];
  if (seconds === undefined) return refuse(`limit: bad rate "${text}"`);
  const n = parseNumber(rate!, 0xffffffff, "limit --limit", 1);
  if (n > SCALE * seconds) refuse(`limit: rate "${text}" too fast`);
  return Math.floor((SCALE * seconds) / n);
}

function printRate(average: number): string {
  let i = 1;
  while (i < UNITS.length) {
    const scale = UNITS[i]![1];
    if (average > scale || Math.floor(scale / average) < scale % average) break;
    i++;
  }
  const [name, scale] = UNITS[i - 1]!;
  return `${Math.floor(scale / average)}/${name}`;
}

/** `user2credits` (net/netfilter/xt_limit.c), 32 bits wide. */
function toCredits(user: number): number {
  if (user > 0xffffffff / (HZ * CREDITS_PER_JIFFY)) {
    return (Math.floor(user / SCALE) * HZ * CREDITS_PER_JIFFY) >>> 0;
  }
  return Math.floor((user * HZ * CREDITS_PER_JIFFY) / SCALE);
}

/** `-m limit`: a bucket of credits filled by the virtual clock (net/netfilter/xt_limit.c: limit_mt). */
export const limit: MatchExtension<LimitMatch, LimitState> = {
  name: "limit",
  options: { limit: 1, "limit-burst": 1 },
  parse(options) {
    const rate = option(options, "limit");
    const burst = option(options, "limit-burst");
    return {
      average: parseRate(rate?.values[0] ?? "3/hour"),
      burst: burst === null ? 5 : parseNumber(burst.values[0]!, 10_000, "limit --limit-burst"),
    };
  },
  print: (m) => ` --limit ${printRate(m.average)}${m.burst === 5 ? "" : ` --limit-burst ${m.burst}`}`,
  evaluate(m, _skb, context, state) {
    const jiffies = Math.floor((context.host.clock.nowUs * HZ) / 1_000_000);
    const cap = toCredits(m.average * m.burst);
    const earned = (jiffies - state.previousJiffies) * CREDITS_PER_JIFFY;
    state.previousJiffies = jiffies;
    state.credit = Math.min(state.credit + earned, cap);
    const cost = toCredits(m.average);
    if (state.credit < cost) return false;
    state.credit -= cost;
    return true;
  },
  newState: (m, context) => ({
    previousJiffies: Math.floor((context.host.clock.nowUs * HZ) / 1_000_000),
    credit: toCredits(m.average * m.burst),
  }),
  pure: false,
};
