import { ipTotalLength } from "../../../packet/packet.ts";
import type { Journal } from "../../journal.ts";
import type { Skb } from "../../skb.ts";
import type { HookState } from "../context.ts";
import { Candidates, type ChainIndex, lowerBound } from "./compile.ts";
import type { RuleContext } from "./context.ts";
import type { ChainEdits } from "./edited-chain.ts";
import type { RuleHost } from "./host.ts";
import { ipHeaderMatches } from "./ip-header.ts";
import type { Chain, Rule } from "./rule-set.ts";
import type { ChainState, RuleSetState, RuleState, TableState } from "./state.ts";
import type { NatTarget, RejectTarget } from "./target/target.ts";
import {
  TARGET_CONTINUE,
  TARGET_EXECUTE,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_RETURN,
  type TargetCode,
  WALK_ACCEPT,
  WALK_DROP,
  WALK_NAT,
  WALK_REJECT,
  type WalkVerdict,
} from "./verdict.ts";

/**
 * Told of every rule that matched, after it has acted, and of the policy that decided (rule number 0, no rule), in
 * the words of an nft trace: `jump X`, `goto X`, `return`, `accept`, `drop`, `continue`. Rules count from 1.
 */
export type OnRule = (chain: Chain, ruleNumber: number, rule: Rule | null, verdict: string) => void;

/**
 * One packet through one table at one hook: `ipt_do_table` (net/ipv4/netfilter/ip_tables.c). The NAT or REJECT target
 * that decided, the number of rules walked and who decided stand in the state afterwards.
 */
export type WalkTable = (
  state: RuleSetState,
  table: TableState,
  at: HookState,
  skb: Skb,
  host: RuleHost,
  onRule: OnRule | null,
) => WalkVerdict;

/** Looks at one rule after the other, as the kernel does. */
export const walkTableNaively: WalkTable = (state, table, at, skb, host, onRule) =>
  walk(state, table, at, skb, host, onRule, false);

/** The same, skipping rules that the packet cannot match: equal to walking in everything but time. */
export const walkTable: WalkTable = (state, table, at, skb, host, onRule) =>
  walk(state, table, at, skb, host, onRule, true);

const candidates = new Candidates();

/**
 * Finds the first rule from `from` on that matches, or at which a match wants the packet dropped, by the chain's index;
 * -1 for none.
 */
function search(cs: ChainState, index: ChainIndex, from: number, skb: Skb, context: RuleContext): number {
  const rules = cs.chain.rules;
  if (index.edits !== null) {
    candidates.start(index, skb.packet, 0);
    return searchEdited(cs, index.edits, from, skb, context);
  }
  candidates.start(index, skb.packet, from);
  for (let i = candidates.next(); i >= 0; i = candidates.next()) {
    if (ruleMatches(cs, i, rules[i]!, skb, context) || context.hotdrop) return i;
  }
  return -1;
}

/** The candidates are those of the chain that this one was edited from; the rules put in are all looked at. */
function searchEdited(
  cs: ChainState,
  edits: ChainEdits,
  from: number,
  skb: Skb,
  context: RuleContext,
): number {
  const { rules } = cs.chain;
  const { inserted } = edits;
  let known = nextKept(edits, from);
  let put = lowerBound(inserted, from);
  for (;;) {
    const isPut = put < inserted.length && (known < 0 || inserted[put]! < known);
    const i = isPut ? inserted[put]! : known;
    if (i < 0) return -1;
    if (ruleMatches(cs, i, rules[i]!, skb, context) || context.hotdrop) return i;
    if (isPut) put++;
    else known = nextKept(edits, from);
  }
}

/** Where the next candidate stands in the edited chain; -1 when there is none. */
function nextKept(edits: ChainEdits, from: number): number {
  for (let i = candidates.next(); i >= 0; i = candidates.next()) {
    const position = edits.positionOf(i);
    if (position >= from) return position;
  }
  return -1;
}

function ruleMatches(cs: ChainState, i: number, rule: Rule, skb: Skb, context: RuleContext): boolean {
  if (!ipHeaderMatches(rule.ip, skb.packet, context.at)) return false;
  if (rule.stateful) return statefulMatches(cs, i, rule, skb, context);
  const conditions = rule.conditions;
  for (let c = 0; c < conditions.length; c++) {
    const condition = conditions[c]!;
    if (!condition.evaluate(condition.data, skb, context, null) || context.hotdrop) return false;
  }
  return true;
}

/** The conditions of a rule that remembers something. */
function statefulMatches(cs: ChainState, i: number, rule: Rule, skb: Skb, context: RuleContext): boolean {
  const conditions = rule.conditions;
  for (let c = 0; c < conditions.length; c++) {
    const condition = conditions[c]!;
    let memory: unknown = null;
    if (condition.newState !== null) {
      const memories = cs.rule(i).conditions!;
      memory = memories[c];
      if (memory === null) {
        memory = condition.newState(condition.data, context);
        context.host.clock.journal?.keep(memories);
        memories[c] = memory;
      } else context.host.clock.journal?.keep(memory as object);
    }
    if (!condition.evaluate(condition.data, skb, context, memory) || context.hotdrop) return false;
  }
  return true;
}

function contextOf(state: RuleSetState, at: HookState, host: RuleHost): RuleContext {
  let context = state.context;
  if (context === null) {
    context = { at, host, state, hotdrop: false };
    state.context = context;
  }
  context.at = at;
  context.host = host;
  context.hotdrop = false;
  return context;
}

/** Where to go on after a chain that was jumped to; nothing walks inside a walk, so one stack serves all. */
const stackChains: ChainState[] = [];
const stackNext: number[] = [];

function walk(
  state: RuleSetState,
  table: TableState,
  at: HookState,
  skb: Skb,
  host: RuleHost,
  onRule: OnRule | null,
  indexed: boolean,
): WalkVerdict {
  const base = table.base[at.hook]!;
  const { journal } = host.clock;
  state.natTarget = null;
  state.reject = null;
  if (base === null) return decide(state, 0, null, 0, WALK_ACCEPT);
  const bytes = ipTotalLength(skb.packet);
  if (base.chain.rules.length === 0) return applyPolicy(state, base, bytes, 0, onRule, journal);
  const context = contextOf(state, at, host);
  let cs = base;
  let next = 0;
  let depth = 0;
  let walked = 0;
  for (;;) {
    const { rules } = cs.chain;
    let i = next;
    // a later fragment has no ports to search by, and may be dropped on sight
    if (cs.index !== null && indexed && skb.packet.fragOffset === 0)
      i = search(cs, cs.index, next, skb, context);
    else {
      // the loop stands here and not in a function: most chains are short, and a call costs more than they do
      while (i < rules.length && !ruleMatches(cs, i, rules[i]!, skb, context) && !context.hotdrop) i++;
      if (i === rules.length) i = -1;
    }
    const rule = i < 0 ? null : rules[i]!;
    walked += (rule === null ? rules.length : i + 1) - next;
    let code: TargetCode = TARGET_RETURN;
    if (rule !== null) {
      if (context.hotdrop) return decide(state, walked, cs.chain, i + 1, WALK_DROP);
      const ruleState = cs.rule(i);
      if (journal !== null) journal.count(ruleState, bytes);
      ruleState.packets++;
      ruleState.bytes += bytes;
      code = rule.target.code;
      if (code === TARGET_EXECUTE) code = rule.target.execute!(rule.target.data, skb, context);
      if (onRule !== null)
        onRule(cs.chain, i + 1, rule, code === WALK_DROP ? "drop" : rule.target.verdictText);
      next = i + 1;
      switch (code) {
        case TARGET_CONTINUE:
          continue;
        case TARGET_JUMP: {
          const target = ruleState.jump ?? jumpFrom(ruleState, table, rule);
          // half of a node's chains are empty: a packet is back at once
          if (target.chain.rules.length === 0) continue;
          stackChains[depth] = cs;
          stackNext[depth++] = next;
          cs = target;
          next = 0;
          continue;
        }
        case TARGET_GOTO:
          cs = ruleState.jump ?? jumpFrom(ruleState, table, rule);
          next = 0;
          continue;
        case TARGET_RETURN:
          break;
        default:
          return decideByRule(state, walked, cs.chain, i + 1, rule, code);
      }
    }
    if (depth === 0) break;
    cs = stackChains[--depth]!;
    next = stackNext[depth]!;
  }
  return applyPolicy(state, base, bytes, walked, onRule, journal);
}

/** A verdict, NAT or REJECT: the rule's target says how. */
function decideByRule(
  state: RuleSetState,
  walked: number,
  chain: Chain,
  ruleNumber: number,
  rule: Rule,
  verdict: WalkVerdict,
): WalkVerdict {
  if (verdict === WALK_NAT) state.natTarget = rule.target.data as NatTarget;
  else if (verdict === WALK_REJECT) state.reject = rule.target.data as RejectTarget;
  return decide(state, walked, chain, ruleNumber, verdict);
}

function jumpFrom(ruleState: RuleState, table: TableState, rule: Rule): ChainState {
  const target = table.chain(rule.target.name);
  ruleState.jump = target;
  return target;
}

/** A packet that no rule of a built-in chain has decided on is its policy's. */
export function countByPolicy(base: ChainState, bytes: number, journal: Journal | null): void {
  if (journal !== null) journal.keep(base);
  base.policyPackets++;
  base.policyBytes += bytes;
}

function applyPolicy(
  state: RuleSetState,
  base: ChainState,
  bytes: number,
  walked: number,
  onRule: OnRule | null,
  journal: Journal | null,
): WalkVerdict {
  countByPolicy(base, bytes, journal);
  const accepts = base.chain.policy !== "DROP";
  if (onRule !== null) onRule(base.chain, 0, null, accepts ? "accept" : "drop");
  return decide(state, walked, base.chain, 0, accepts ? WALK_ACCEPT : WALK_DROP);
}

function decide(
  state: RuleSetState,
  walked: number,
  chain: Chain | null,
  rule: number,
  verdict: WalkVerdict,
): WalkVerdict {
  state.rulesWalked = walked;
  state.decidedChain = chain;
  state.decidedRule = rule;
  return verdict;
}
