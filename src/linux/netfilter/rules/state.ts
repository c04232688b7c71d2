import type { Journal } from "../../journal.ts";
import { HOOK_NAMES } from "../hooks.ts";
import { type ChainIndex, indexOf } from "./compile.ts";
import type { RuleContext } from "./context.ts";
import type { Ipset } from "./ipset.ts";
import { LayeredChains } from "./layered-chains.ts";
import { newRecentTable, type RecentTable, recentStamps } from "./recent-table.ts";
import { validateRuleSet } from "./restore.ts";
import { recentUses } from "./rule-facts.ts";
import { type Chain, EMPTY_RULE_SET, type Rule, type RuleSet, type Table } from "./rule-set.ts";
import type { NatTarget, RejectTarget } from "./target/target.ts";

/** What one rule of one namespace has seen. */
export class RuleState {
  packets = 0;
  bytes = 0;
  /** The chain that it jumps or goes to, once a packet has gone there. */
  jump: ChainState | null = null;
  /** What its conditions remember, by their place; null until one does. */
  readonly conditions: unknown[] | null;

  constructor(conditions: number) {
    this.conditions = conditions === 0 ? null : new Array<unknown>(conditions).fill(null);
  }
}

/** Chains of more rules than this keep the state of only those rules that packets matched. */
const DENSE = 256;

/** What one chain of one namespace has seen. Rules are counted from 0. */
export class ChainState {
  readonly chain: Chain;
  readonly index: ChainIndex | null;
  policyPackets = 0;
  policyBytes = 0;
  private readonly dense: (RuleState | null)[];
  private readonly sparse: Map<number, RuleState> | null;

  constructor(chain: Chain) {
    this.chain = chain;
    this.index = indexOf(chain);
    const large = chain.rules.length > DENSE;
    this.dense = large ? [] : new Array<RuleState | null>(chain.rules.length).fill(null);
    this.sparse = large ? new Map() : null;
    const counters = chain.counters;
    if (counters === null) return;
    this.policyPackets = counters[0] ?? 0;
    this.policyBytes = counters[1] ?? 0;
    for (let i = 0; i < chain.rules.length; i++) {
      const packets = counters[2 * i + 2] ?? 0;
      const bytes = counters[2 * i + 3] ?? 0;
      if (packets === 0 && bytes === 0) continue;
      const rule = this.rule(i);
      rule.packets = packets;
      rule.bytes = bytes;
    }
  }

  /** The rule's state, made when it has none. */
  rule(i: number): RuleState {
    let state = this.sparse === null ? this.dense[i]! : (this.sparse.get(i) ?? null);
    if (state === null) {
      const rule = this.chain.rules[i]!;
      state = new RuleState(rule.stateful ? rule.conditions.length : 0);
      this.keep(i, state);
    }
    return state;
  }

  /** The rule's state, if it has one. */
  peek(i: number): RuleState | null {
    return this.sparse === null ? (this.dense[i] ?? null) : (this.sparse.get(i) ?? null);
  }

  keep(i: number, state: RuleState): void {
    if (this.sparse === null) this.dense[i] = state;
    else this.sparse.set(i, state);
  }
}

/** What one table of one namespace has seen. */
export class TableState {
  readonly table: Table;
  /** The built-in chains by hook; null where the table has none. */
  readonly base: readonly (ChainState | null)[];
  private readonly chains = new Map<string, ChainState>();
  /** Chains with `-m recent` that packets came to under the rules before: their lists are kept. */
  private readonly remembering = new Set<string>();

  constructor(table: Table, before: TableState | null) {
    this.table = table;
    if (table.chains instanceof LayeredChains)
      for (const { name } of before?.seen() ?? []) {
        const chain = table.chains.get(name);
        if (chain !== undefined && recentUses(chain).length > 0) this.remembering.add(name);
      }
    for (const old of before?.chains.values() ?? []) {
      const chain = table.chains.get(old.chain.name);
      if (chain !== undefined && !table.flushed.has(chain.name))
        this.chains.set(chain.name, carryOver(old, chain));
    }
    this.base = HOOK_NAMES.map((name) => (table.chains.has(name) ? this.chain(name) : null));
  }

  /** The chain's state, made when no packet has come by yet. */
  chain(name: string): ChainState {
    let state = this.chains.get(name);
    if (state === undefined) {
      state = new ChainState(this.table.chains.get(name)!);
      this.chains.set(name, state);
    }
    return state;
  }

  peek(name: string): ChainState | null {
    return this.chains.get(name) ?? null;
  }

  /** Every chain that a packet can have left something in; of those made on demand the ones that packets came to. */
  *seen(): Iterable<Chain> {
    const { chains } = this.table;
    if (!(chains instanceof LayeredChains)) return yield* chains.values();
    yield* chains.own.values();
    for (const { chain } of this.chains.values()) yield chain;
    for (const name of this.remembering) if (!this.chains.has(name)) yield chains.get(name)!;
  }
}

/** Rules that stand unchanged at the beginning or the end of a chain keep their counters and what they remember. */
function carryOver(old: ChainState, chain: Chain): ChainState {
  const state = new ChainState(chain);
  state.policyPackets = old.policyPackets;
  state.policyBytes = old.policyBytes;
  const before: readonly Rule[] = old.chain.rules;
  const after: readonly Rule[] = chain.rules;
  const take = (from: number, to: number): void => {
    const rule = old.peek(from);
    if (rule === null) return;
    rule.jump = null;
    state.keep(to, rule);
  };
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) take(head, head++);
  let tail = 1;
  while (
    before.length - tail >= head &&
    after.length - tail >= head &&
    before.at(-tail) === after.at(-tail)
  ) {
    take(before.length - tail, after.length - tail);
    tail++;
  }
  return state;
}

/** Packets and bytes of an nfacct counter. */
export interface AccountingCounter {
  packets: number;
  bytes: number;
}

/** Everything about rules that changes while packets pass: one a namespace. */
export class RuleSetState {
  /** ipset's sets by name; who makes and fills them is none of the rules' business. */
  readonly sets = new Map<string, Ipset>();
  private rules: RuleSet = EMPTY_RULE_SET;
  private tables = new Map<string, TableState>();
  private readonly recents = new Map<string, RecentTable>();
  private readonly accountings = new Map<string, AccountingCounter>();

  /** What walks hand to extensions; one object for all of them. */
  context: RuleContext | null = null;
  /** Look-ups in ipsets since the namespace was made. */
  setLookups = 0;

  // What the last walk came to; valid until the next one
  natTarget: NatTarget | null = null;
  reject: RejectTarget | null = null;
  /** Rules that the kernel would have looked at. */
  rulesWalked = 0;
  /** Who decided: the chain, and the rule counted from 1, 0 for the policy. */
  decidedChain: Chain | null = null;
  decidedRule = 0;

  /** Throws {@link import("./error.ts").RuleSetError} when the rule set has rules that no packet can be judged by. */
  constructor(ruleSet: RuleSet = EMPTY_RULE_SET) {
    this.load(ruleSet);
  }

  get ruleSet(): RuleSet {
    return this.rules;
  }

  /**
   * Puts another rule set in force. Chains that the restore did not flush keep their counters and what their rules
   * remember; recent lists live as long as some rule names them. Throws as the constructor does, and changes nothing then.
   */
  load(ruleSet: RuleSet): void {
    validateRuleSet(ruleSet);
    const tables = new Map<string, TableState>();
    for (const table of ruleSet.tables) {
      const before = this.tables.get(table.name) ?? null;
      tables.set(
        table.name,
        before !== null && before.table === table ? before : new TableState(table, before),
      );
    }
    this.rules = ruleSet;
    this.tables = tables;
    this.keepRecents();
  }

  /** A table by name; null when nothing was ever restored into it. */
  table(name: string): TableState | null {
    return this.tables.get(name) ?? null;
  }

  /** Packets and bytes of rule number `n` of a chain, of its policy for 0. */
  counters(table: string, chain: string, n: number): [number, number] {
    const state = this.tables.get(table)?.peek(chain) ?? null;
    if (state !== null) {
      if (n === 0) return [state.policyPackets, state.policyBytes];
      const rule = state.peek(n - 1);
      return rule === null ? [0, 0] : [rule.packets, rule.bytes];
    }
    const given = this.tables.get(table)?.table.chains.get(chain)?.counters;
    return [given?.[2 * n] ?? 0, given?.[2 * n + 1] ?? 0];
  }

  /** A list of `-m recent`; a rule that needs more stamps than the list keeps empties it (recent_mt_check). */
  recentTable(name: string, hitcount: number, mask: number): RecentTable {
    const stamps = recentStamps(hitcount);
    let table = this.recents.get(name);
    if (table === undefined) {
      table = newRecentTable(name, stamps, mask);
      this.recents.set(name, table);
    } else if (stamps > table.stampsKept) {
      table.byAddress.clear();
      table.oldest = null;
      table.newest = null;
      table.entries = 0;
      table.stampsKept = stamps;
    }
    return table;
  }

  /** A counter of `-m nfacct`, made when it is first counted into. */
  accounting(name: string, journal: Journal | null = null): AccountingCounter {
    let counter = this.accountings.get(name);
    if (counter === undefined) {
      journal?.set(this.accountings, name);
      counter = { packets: 0, bytes: 0 };
      this.accountings.set(name, counter);
    } else journal?.keep(counter);
    return counter;
  }

  private keepRecents(): void {
    const used = new Set<string>();
    for (const table of this.tables.values()) {
      for (const chain of table.seen()) {
        for (const use of recentUses(chain)) {
          used.add(use.name);
          this.recentTable(use.name, use.hitcount, use.mask);
        }
      }
    }
    for (const name of this.recents.keys()) if (!used.has(name)) this.recents.delete(name);
  }
}
