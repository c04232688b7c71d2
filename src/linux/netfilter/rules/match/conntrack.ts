import type { Skb } from "../../../skb.ts";
import {
  IP_CT_ESTABLISHED_REPLY,
  IPS_ASSURED,
  IPS_CONFIRMED,
  IPS_DST_NAT,
  IPS_EXPECTED,
  IPS_SEEN_REPLY,
  IPS_SRC_NAT,
} from "../../conntrack/entry.ts";
import { type MaskedAddress, parseMaskedAsIs, printMaskedShort } from "../address-text.ts";
import type { RuleContext } from "../context.ts";
import { refuse } from "../error.ts";
import { type PortRange, parsePortRange, parseRange } from "../number-text.ts";
import { parseProtocol } from "../protocol.ts";
import { type MatchExtension, not, option, type ParsedOption } from "./extension.ts";
import { parseStates, printStates, STATE_DNAT, STATE_SNAT, stateBit } from "./state.ts";

interface Negatable {
  readonly negated: boolean;
}
type AddressTest = MaskedAddress & Negatable;

export interface ConntrackMatch {
  readonly states: { readonly bits: number; readonly negated: boolean } | null;
  readonly protocol: { readonly number: number; readonly negated: boolean } | null;
  readonly origSrc: AddressTest | null;
  readonly origDst: AddressTest | null;
  readonly replSrc: AddressTest | null;
  readonly replDst: AddressTest | null;
  readonly origSrcPort: PortRange | null;
  readonly origDstPort: PortRange | null;
  readonly replSrcPort: PortRange | null;
  readonly replDstPort: PortRange | null;
  readonly status: { readonly bits: number; readonly negated: boolean } | null;
  /** Seconds. */
  readonly expire: { readonly min: number; readonly max: number; readonly negated: boolean } | null;
  readonly direction: "ORIGINAL" | "REPLY" | null;
  /** Asks for the state and nothing else, as most rules do. */
  readonly onlyStates: boolean;
}

const STATUS: readonly (readonly [string, number])[] = [
  ["EXPECTED", IPS_EXPECTED],
  ["SEEN_REPLY", IPS_SEEN_REPLY],
  ["ASSURED", IPS_ASSURED],
  ["CONFIRMED", IPS_CONFIRMED],
];

function parseStatus(text: string): number {
  let bits = 0;
  for (const word of text.split(",")) {
    const name = word.toUpperCase();
    const bit = name === "NONE" ? 0 : STATUS.find(([n]) => n === name)?.[1];
    if (bit === undefined) refuse(`conntrack: bad ctstatus "${word}"`);
    bits |= bit;
  }
  return bits;
}

function printStatus(bits: number): string {
  const names = STATUS.filter(([, bit]) => bits & bit).map(([name]) => name);
  return names.length === 0 ? "NONE" : names.join(",");
}

function address(options: readonly ParsedOption[], name: string): AddressTest | null {
  const o = option(options, name);
  return o && { ...parseMaskedAsIs(o.values[0]!, `conntrack --${name}`), negated: o.negated };
}

function port(options: readonly ParsedOption[], name: string): PortRange | null {
  const o = option(options, name);
  return o && parsePortRange(o.values[0]!, o.negated, `conntrack --${name}`);
}

const printAddressTest = (name: string, a: AddressTest | null): string =>
  a === null ? "" : `${not(a.negated)} --${name} ${printMaskedShort(a)}`;

const printPortTest = (name: string, p: PortRange | null): string =>
  p === null ? "" : `${not(p.negated)} --${name} ${p.min === p.max ? p.min : `${p.min}:${p.max}`}`;

const addressFits = (test: AddressTest | null, n: number): boolean =>
  test === null || (((n ^ test.address) & test.mask) === 0) !== test.negated;

const portFits = (test: PortRange | null, n: number): boolean =>
  test === null || (n >= test.min && n <= test.max) !== test.negated;

/** `-m conntrack` (net/netfilter/xt_conntrack.c: conntrack_mt). Without an entry only `--ctstate` is looked at. */
export const conntrack: MatchExtension<ConntrackMatch> = {
  name: "conntrack",
  options: {
    ctstate: 1,
    ctproto: 1,
    ctorigsrc: 1,
    ctorigdst: 1,
    ctreplsrc: 1,
    ctrepldst: 1,
    ctorigsrcport: 1,
    ctorigdstport: 1,
    ctreplsrcport: 1,
    ctrepldstport: 1,
    ctstatus: 1,
    ctexpire: 1,
    ctdir: 1,
  },
  parse(options) {
    if (options.length === 0) refuse("conntrack: at least one option is required");
    const states = option(options, "ctstate");
    const protocol = option(options, "ctproto");
    const status = option(options, "ctstatus");
    const expire = option(options, "ctexpire");
    const direction = option(options, "ctdir")?.values[0]?.toUpperCase() ?? null;
    if (direction !== null && direction !== "ORIGINAL" && direction !== "REPLY") {
      refuse(`conntrack: bad ctdir "${direction}"`);
    }
    return {
      states: states && { bits: parseStates(states.values[0]!, 127, "conntrack"), negated: states.negated },
      protocol: protocol && { number: parseProtocol(protocol.values[0]!), negated: protocol.negated },
      origSrc: address(options, "ctorigsrc"),
      origDst: address(options, "ctorigdst"),
      replSrc: address(options, "ctreplsrc"),
      replDst: address(options, "ctrepldst"),
      origSrcPort: port(options, "ctorigsrcport"),
      origDstPort: port(options, "ctorigdstport"),
      replSrcPort: port(options, "ctreplsrcport"),
      replDstPort: port(options, "ctrepldstport"),
      status: status && { bits: parseStatus(status.values[0]!), negated: status.negated },
      expire: expire && { ...parseRange(expire.values[0]!, 0xffffffff, "ctexpire"), negated: expire.negated },
      direction: direction as ConntrackMatch["direction"],
      onlyStates: states !== null && options.length === 1,
    };
  },
  print(m) {
    let text = "";
    if (m.states) text += `${not(m.states.negated)} --ctstate ${printStates(m.states.bits)}`;
    if (m.protocol) text += `${not(m.protocol.negated)} --ctproto ${m.protocol.number}`;
    text += printAddressTest("ctorigsrc", m.origSrc) + printAddressTest("ctorigdst", m.origDst);
    text += printAddressTest("ctreplsrc", m.replSrc) + printAddressTest("ctrepldst", m.replDst);
    text += printPortTest("ctorigsrcport", m.origSrcPort) + printPortTest("ctorigdstport", m.origDstPort);
    text += printPortTest("ctreplsrcport", m.replSrcPort) + printPortTest("ctrepldstport", m.replDstPort);
    if (m.status) text += `${not(m.status.negated)} --ctstatus ${printStatus(m.status.bits)}`;
    if (m.expire) {
      const { min, max, negated } = m.expire;
      text += `${not(negated)} --ctexpire ${min === max ? min : `${min}:${max}`}`;
    }
    return m.direction === null ? text : `${text} --ctdir ${m.direction}`;
  },
  evaluate: conntrackMatches,
  newState: null,
  pure: true,
};

function conntrackMatches(m: ConntrackMatch, skb: Skb, context: RuleContext): boolean {
  const ct = skb.ct;
  if (m.states !== null) {
    let bits = stateBit(skb);
    if (ct !== null) {
      if (ct.status & IPS_SRC_NAT) bits |= STATE_SNAT;
      if (ct.status & IPS_DST_NAT) bits |= STATE_DNAT;
    }
    if (((bits & m.states.bits) !== 0) === m.states.negated) return false;
    if (m.onlyStates) return true;
  }
  if (ct === null) return m.states !== null;
  if (m.direction !== null && (m.direction === "REPLY") !== skb.ctinfo >= IP_CT_ESTABLISHED_REPLY)
    return false;
  const { original, reply } = ct;
  if (!addressFits(m.origSrc, original.src) || !addressFits(m.origDst, original.dst)) return false;
  if (!addressFits(m.replSrc, reply.src) || !addressFits(m.replDst, reply.dst)) return false;
  if (m.protocol !== null && (ct.protocol === m.protocol.number) === m.protocol.negated) return false;
  if (!portFits(m.origSrcPort, original.sport) || !portFits(m.origDstPort, original.dport)) return false;
  if (!portFits(m.replSrcPort, reply.sport) || !portFits(m.replDstPort, reply.dport)) return false;
  if (m.status !== null && ((ct.status & m.status.bits) !== 0) === m.status.negated) return false;
  if (m.expire !== null) {
    const seconds = Math.max(0, Math.floor((ct.expiresUs - context.host.clock.nowUs) / 1_000_000));
    if ((seconds >= m.expire.min && seconds <= m.expire.max) === m.expire.negated) return false;
  }
  return true;
}
