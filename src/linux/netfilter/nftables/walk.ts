import type { Journal } from "../../journal.ts";
import type { Skb } from "../../skb.ts";
import { IP_CT_NEW } from "../conntrack/entry.ts";
import { RTN_LOCAL } from "../context.ts";
import type { RuleContext } from "../rules/context.ts";
import { WALK_ACCEPT, WALK_DROP, WALK_NAT, WALK_REJECT, type WalkVerdict } from "../rules/verdict.ts";
import { type NftExpression, type NftField, type NftVerdict, verdictText } from "./expression.ts";
import type { NftState } from "./state.ts";
import { mapKey, type NftChain, type NftRule } from "./table.ts";

/** Told of every rule that led somewhere or changed something; rules count from 1. */
export type OnNftRule = (chain: string, rule: number, matched: NftRule, verdict: string) => void;

/** What an expression may ask of the namespace and the hook. */
export type NftContext = Pick<RuleContext, "at" | "host"> & { readonly journal: Journal | null };

/** Does the rule go on with its next expression, or has one of them no match (`NFT_BREAK`)? */
const CONTINUE = 0;
const BREAK = 1;

/** The chain jumped to and where to go on after it; nothing walks inside a walk, so one stack serves all. */
const stackChains: NftChain[] = [];
const stackNext: number[] = [];

/** What the expression just judged asks for; null while it asks for nothing. */
let asked: NftVerdict | "nat" | null = null;

/**
 * One packet through one base chain: `nft_do_chain` (net/netfilter/nf_tables_core.c). Base chains accept what they do not
 * judge. The target of WALK_NAT, who decided and how many rules were walked stand in the state afterwards.
 */
export function walkNftChain(
  state: NftState,
  base: NftChain,
  skb: Skb,
  context: NftContext,
  onRule: OnNftRule | null,
): WalkVerdict {
  let chain = base;
  let next = 0;
  let depth = 0;
  let walked = 0;
  state.natTarget = null;
  for (;;) {
    if (next >= chain.rules.length) {
      if (depth === 0) break;
      chain = stackChains[--depth]!;
      next = stackNext[depth]!;
      continue;
    }
    const rule = chain.rules[next++]!;
    walked++;
    const verdict = judge(rule, state, skb, context);
    if (verdict === null) continue;
    if (onRule !== null)
      onRule(
        chain.name,
        next,
        rule,
        typeof verdict !== "string" ? verdictText(verdict) : verdict === "nat" ? "accept" : verdict,
      );
    if (verdict === "continue") continue;
    if (verdict === "nat") return decide(state, walked, chain, next, WALK_NAT);
    switch (verdict.code) {
      case "jump":
        stackChains[depth] = chain;
        stackNext[depth++] = next;
        chain = state.table.chains.get(verdict.chain)!;
        next = 0;
        continue;
      case "goto":
        chain = state.table.chains.get(verdict.chain)!;
        next = 0;
        continue;
      case "return":
        next = chain.rules.length;
        continue;
      case "accept":
        return decide(state, walked, chain, next, WALK_ACCEPT);
      case "drop":
        return decide(state, walked, chain, next, WALK_DROP);
      case "reject":
        return decide(state, walked, chain, next, WALK_REJECT);
    }
  }
  return decide(state, walked, base, 0, WALK_ACCEPT);
}

function decide(
  state: NftState,
  walked: number,
  chain: NftChain,
  rule: number,
  verdict: WalkVerdict,
): WalkVerdict {
  state.rulesWalked = walked;
  state.decidedChain = chain.name;
  state.decidedRule = rule;
  return verdict;
}

/** Judges one rule's expressions in order: null when one does not match, `continue` when all do and ask for nothing. */
function judge(
  rule: NftRule,
  state: NftState,
  skb: Skb,
  context: NftContext,
): NftVerdict | "nat" | "continue" | null {
  const { expressions } = rule;
  asked = null;
  for (let i = 0; i < expressions.length; i++) {
    if (evaluate(expressions[i]!, state, skb, context) === BREAK) return null;
    if (asked !== null) return asked;
  }
  return "continue";
}

function evaluate(expression: NftExpression, state: NftState, skb: Skb, context: NftContext): number {
  switch (expression.kind) {
    case "compare":
      return matches(expression, state, skb, context) !== expression.negated ? CONTINUE : BREAK;
    case "vmap": {
      const p = skb.packet;
      // a later fragment has no transport header to take a port from
      if (p.fragOffset !== 0) return BREAK;
      state.lookups++;
      const map = state.table.maps.get(expression.map)!;
      const address = map.type === "address-protocol-port" ? p.dst : 0;
      const found = map.elements.get(mapKey(address, p.protocol, p.dport));
      if (found === undefined) return BREAK;
      asked = found.verdict;
      return CONTINUE;
    }
    case "numgen":
      state.lookups++;
      asked = expression.verdicts[context.host.chooser.pick(expression.verdicts.length, "address")] ?? null;
      return asked === null ? BREAK : CONTINUE;
    case "mark":
      return (skb.mark & expression.mask) >>> 0 === expression.value ? CONTINUE : BREAK;
    case "mark-set":
      skb.mark =
        (expression.operation === "or" ? skb.mark | expression.value : skb.mark ^ expression.value) >>> 0;
      return CONTINUE;
    case "update":
      state.update(expression.set, skb.packet.src, context.host.clock.nowUs, context.journal);
      return CONTINUE;
    case "dnat":
      state.natTarget = expression.target;
      asked = "nat";
      return CONTINUE;
    case "masquerade":
      state.natTarget = {
        type: "MASQUERADE",
        ports: null,
        random: false,
        randomFully: expression.fullyRandom,
      };
      asked = "nat";
      return CONTINUE;
    case "verdict":
      asked = expression.verdict;
      return CONTINUE;
  }
}

function matches(
  { field, operand }: Extract<NftExpression, { kind: "compare" }>,
  state: NftState,
  skb: Skb,
  context: NftContext,
): boolean {
  switch (operand.type) {
    case "number":
      return equals(field, operand.value, skb, context);
    case "name": {
      const name = context.at.in?.name ?? "";
      return operand.wildcard ? name.startsWith(operand.text) : name === operand.text;
    }
    case "set":
      return state.contains(operand.name, addressOf(field, skb), context.host.clock.nowUs);
    case "blocks": {
      const address = addressOf(field, skb);
      return operand.blocks.some(({ address: network, mask }) => (address & mask) >>> 0 === network);
    }
  }
}

const addressOf = (field: NftField, skb: Skb): number =>
  field === "ip saddr" ? skb.packet.src : skb.packet.dst;

function equals(field: NftField, value: number, skb: Skb, context: NftContext): boolean {
  const p = skb.packet;
  switch (field) {
    case "meta l4proto":
      return p.protocol === value;
    case "th dport":
      return p.fragOffset === 0 && p.dport === value;
    case "ct state":
      return skb.ct !== null && skb.ctinfo === IP_CT_NEW;
    case "fib saddr type":
      return context.host.addressType(p.src, null) === RTN_LOCAL;
    case "fib daddr type":
      return context.host.addressType(p.dst, null) === RTN_LOCAL;
    default:
      return false;
  }
}
