import { parseAddress, printAddress } from "../address-text.ts";
import { refuse } from "../error.ts";
import { type MatchExtension, not, option, type ParsedOption } from "./extension.ts";

interface AddressRange {
  readonly min: number;
  readonly max: number;
  readonly negated: boolean;
}

export interface IprangeMatch {
  readonly source: AddressRange | null;
  readonly destination: AddressRange | null;
}

function range(o: ParsedOption | null): AddressRange | null {
  if (o === null) return null;
  const [low, high] = o.values[0]!.split("-");
  const min = parseAddress(low!, "iprange");
  const max = high === undefined ? min : parseAddress(high, "iprange");
  if (min > max) refuse(`iprange: range "${o.values[0]}" is reversed and will never match`);
  return { min, max, negated: o.negated };
}

const print = (name: string, r: AddressRange | null): string =>
  r === null ? "" : `${not(r.negated)} --${name} ${printAddress(r.min)}-${printAddress(r.max)}`;

const fits = (r: AddressRange | null, n: number): boolean =>
  r === null || (n >= r.min && n <= r.max) !== r.negated;

/** `-m iprange` (net/netfilter/xt_iprange.c: iprange_mt4). */
export const iprange: MatchExtension<IprangeMatch> = {
  name: "iprange",
  options: { "src-range": 1, "dst-range": 1 },
  parse(options) {
    const m = {
      source: range(option(options, "src-range")),
      destination: range(option(options, "dst-range")),
    };
    if (m.source === null && m.destination === null) {
      refuse("iprange: you must specify --src-range or --dst-range");
    }
    return m;
  },
  print: (m) => print("src-range", m.source) + print("dst-range", m.destination),
  evaluate: (m, skb) => fits(m.source, skb.packet.src) && fits(m.destination, skb.packet.dst),
  newState: null,
  pure: true,
};
