import { ipTotalLength } from "../../../packet/packet.ts";
import type { Journal } from "../../journal.ts";
import type { Skb } from "../../skb.ts";
import type { HookState } from "../context.ts";
import { Candidates, lowerBound } from "./compile.ts";
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

/** Finds the first rule from `from` on that matches, or at which a match wants the packet dropped; -1 for none. */
type FindRule = (cs: ChainState, from: number, skb: Skb, context: RuleContext) => number;

/** Looks at one rule after the other, as the kernel does. */
export const walkTableNaively: WalkTable = (state, table, at, skb, host, onRule) =>
  walk(state, table, at, skb, host, onRule, walkChain);

/** The same, skipping rules that the packet cannot match: equal to walking in everything but time. */
export const walkTable: WalkTable = (state, table, at, skb, host, onRule) =>
  walk(state, table, at, skb, host, onRule, searchChain);

const walkChain: FindRule = (cs, from, skb, context) => {
  const rules = cs.chain.rules;
  for (let i = from; i < rules.length; i++) {
    if (ruleMatches(cs, i, rules[i]!, skb, context) || context.hotdrop) return i;
  }
  return -1;
};

const candidates = new Candidates();

const searchChain: FindRule = (cs, from, skb, context) => {
  // A later fragment has no ports to search by, and may be dropped on sight
  if (cs.index === null || skb.packet.fragOffset !== 0) return walkChain(cs, from, skb, context);
  const rules = cs.chain.rules;
  if (cs.index.edits !== null) {
    candidates.start(cs.index, skb.packet, 0);
    return searchEdited(cs, cs.index.edits, from, skb, context);
  }
  candidates.start(cs.index, skb.packet, from);
  for (let i = candidates.next(); i >= 0; i = candidates.next()) {
    if (ruleMatches(cs, i, rules[i]!, skb, context) || context.hotdrop) return i;
  }
  return -1;
};

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
  find: FindRule,
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
    const i = find(cs, next, skb, context);
    const rule = i < 0 ? null : cs.chain.rules[i]!;
    walked += (rule === null ? cs.chain.rules.length : i + 1) - next;
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
        case TARGET_JUMP:
          stackChains[depth] = cs;
          stackNext[depth++] = next;
          cs = ruleState.jump ?? jumpFrom(ruleState, table, rule);
          next = 0;
          continue;
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

function applyPolicy(
  state: RuleSetState,
  base: ChainState,
  bytes: number,
  walked: number,
  onRule: OnRule | null,
  journal: Journal | null,
): WalkVerdict {
  if (journal !== null) journal.keep(base);
  base.policyPackets++;
  base.policyBytes += bytes;
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
