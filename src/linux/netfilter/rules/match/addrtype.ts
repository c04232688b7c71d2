import type { NetDevice } from "../../../device/device.ts";
import type { RuleContext } from "../context.ts";
import { refuse } from "../error.ts";
import { type MatchExtension, not, option, type ParsedOption } from "./extension.ts";

interface TypeSet {
  /** Bit n stands for RTN_* number n. */
  readonly mask: number;
  readonly negated: boolean;
}

export interface AddrtypeMatch {
  readonly source: TypeSet | null;
  readonly destination: TypeSet | null;
  readonly limit: "in" | "out" | null;
}

/** By their RTN_* numbers (extensions/libxt_addrtype.c: rtn_names). */
const NAMES: readonly string[] = [
  "UNSPEC",
  "UNICAST",
  "LOCAL",
  "BROADCAST",
  "ANYCAST",
  "MULTICAST",
  "BLACKHOLE",
  "UNREACHABLE",
  "PROHIBIT",
  "THROW",
  "NAT",
  "XRESOLVE",
];

function types(o: ParsedOption | null): TypeSet | null {
  if (o === null) return null;
  let mask = 0;
  for (const word of o.values[0]!.split(",")) {
    const n = NAMES.indexOf(word.toUpperCase());
    if (n < 0) refuse(`addrtype: bad type "${word}"`);
    mask |= 1 << n;
  }
  return { mask, negated: o.negated };
}

const print = (name: string, set: TypeSet | null): string =>
  set === null
    ? ""
    : `${not(set.negated)} --${name} ${NAMES.filter((_, n) => set.mask & (1 << n)).join(",")}`;

function fits(set: TypeSet | null, address: number, dev: NetDevice | null, context: RuleContext): boolean {
  if (set === null) return true;
  return ((set.mask & (1 << context.host.addressType(address, dev))) !== 0) !== set.negated;
}

/** `-m addrtype` (net/netfilter/xt_addrtype.c: addrtype_mt_v1). */
export const addrtype: MatchExtension<AddrtypeMatch> = {
  name: "addrtype",
  options: { "src-type": 1, "dst-type": 1, "limit-iface-in": 0, "limit-iface-out": 0 },
  parse(options) {
    const limitIn = option(options, "limit-iface-in");
    const limitOut = option(options, "limit-iface-out");
    if (limitIn && limitOut)
      refuse("addrtype: both incoming and outgoing interface limitation cannot be selected");
    const m: AddrtypeMatch = {
      source: types(option(options, "src-type")),
      destination: types(option(options, "dst-type")),
      limit: limitIn ? "in" : limitOut ? "out" : null,
    };
    if (m.source === null && m.destination === null) {
      refuse("addrtype: you must specify --src-type or --dst-type");
    }
    return m;
  },
  print: (m) =>
    print("src-type", m.source) +
    print("dst-type", m.destination) +
    (m.limit === null ? "" : ` --limit-iface-${m.limit}`),
  evaluate(m, skb, context) {
    const dev = m.limit === null ? null : m.limit === "in" ? context.at.in : context.at.out;
    return fits(m.source, skb.packet.src, dev, context) && fits(m.destination, skb.packet.dst, dev, context);
  },
  newState: null,
  pure: true,
};
