import type { Skb } from "../../../skb.ts";
import { IP_CT_UNTRACKED } from "../../conntrack/entry.ts";
import { refuse } from "../error.ts";
import { type MatchExtension, not, required } from "./extension.ts";

const STATE_INVALID = 1;
const STATE_ESTABLISHED = 2;
const STATE_RELATED = 4;
const STATE_NEW = 8;
const STATE_UNTRACKED = 16;
export const STATE_SNAT = 32;
export const STATE_DNAT = 64;

/** Names in the order in which iptables-save prints them. */
const NAMES: readonly (readonly [string, number])[] = [
  ["INVALID", STATE_INVALID],
  ["NEW", STATE_NEW],
  ["RELATED", STATE_RELATED],
  ["ESTABLISHED", STATE_ESTABLISHED],
  ["UNTRACKED", STATE_UNTRACKED],
  ["SNAT", STATE_SNAT],
  ["DNAT", STATE_DNAT],
];

/** `NEW,ESTABLISHED` → STATE_* bits; `all` are those that may be named here. */
export function parseStates(text: string, all: number, what: string): number {
  let bits = 0;
  for (const word of text.split(",")) {
    const name = word.toUpperCase();
    const bit = NAMES.find(([n, b]) => n === name && b & all)?.[1];
    if (bit === undefined) refuse(`${what}: bad state "${word}"`);
    bits |= bit;
  }
  return bits;
}

export const printStates = (bits: number): string =>
  NAMES.filter(([, bit]) => bits & bit)
    .map(([name]) => name)
    .join(",");

/** What connection tracking says of a packet, as one STATE_* bit: `XT_STATE_BIT`. No entry is INVALID, unless NOTRACK was asked for. */
export function stateBit(skb: Skb): number {
  if (skb.ct === null) return skb.ctinfo === IP_CT_UNTRACKED ? STATE_UNTRACKED : STATE_INVALID;
  // ESTABLISHED, RELATED, NEW and their replies, which count as the same
  return 2 << (skb.ctinfo % 3);
}

export interface StateMatch {
  readonly states: number;
  readonly negated: boolean;
}

/** `-m state`, the old face of conntrack (net/netfilter/xt_state.c: state_mt). */
export const state: MatchExtension<StateMatch> = {
  name: "state",
  options: { state: 1 },
  parse(options) {
    const o = required(options, "state", "state");
    return { states: parseStates(o.values[0]!, 31, "state"), negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --state ${printStates(m.states)}`,
  evaluate: (m, skb) => ((stateBit(skb) & m.states) !== 0) !== m.negated,
  newState: null,
  pure: true,
};
