import { OptionError } from "./error.ts";
import { LayeredChains } from "./layered-chains.ts";
import { BUILT_IN_CHAINS, type Chain, type Rule, type Table } from "./rule-set.ts";
import type { RuleStore } from "./rule-store.ts";
import { TARGET_GOTO, TARGET_JUMP } from "./verdict.ts";

type Counters = readonly [number, number] | null;

interface ChainDraft {
  policy: Chain["policy"];
  rules: Rule[];
  /** As in {@link Chain}: the policy's pair, then one a rule. Null while all are zero or not asked for. */
  counters: number[] | null;
  /** The chain that this is unchanged from; null once it was touched. */
  from: Chain | null;
}

/** A table that iptables-restore is working on, between `*TABLE` and `COMMIT`. */
export class TableDraft {
  readonly name: string;
  /** Chains by name; without those that are still in `layered` alone. */
  private readonly chains = new Map<string, ChainDraft>();
  /** Where chains are made on demand: they become drafts when they are looked at. */
  private layered: LayeredChains | null = null;
  private readonly flushed = new Set<string>();
  private readonly builtIn: readonly string[];
  /** By a chain that is jumped to, one that does so; null when rules have changed since it was made. */
  private users: Map<string, string> | null = null;

  constructor(name: string, table: Table | null, flush: boolean) {
    this.name = name;
    this.builtIn = BUILT_IN_CHAINS[name]!;
    for (const chain of this.builtIn) {
      const old = table?.chains.get(chain);
      if (old !== undefined && !flush) this.chains.set(chain, untouched(old));
      else this.chains.set(chain, { policy: old?.policy ?? "ACCEPT", rules: [], counters: null, from: null });
      if (flush) this.flushed.add(chain);
    }
    if (!flush && table?.chains instanceof LayeredChains) {
      this.layered = table.chains;
      return;
    }
    for (const chain of table?.chains.values() ?? []) {
      if (flush) this.flushed.add(chain.name);
      else if (!this.builtIn.includes(chain.name)) this.chains.set(chain.name, untouched(chain));
    }
  }

  has(chain: string): boolean {
    return this.chains.has(chain) || (this.layered?.has(chain) ?? false);
  }

  /** Chains that have been changed. */
  *touched(): Iterable<string> {
    for (const [name, { from }] of this.chains) if (from === null) yield name;
  }

  /** Makes drafts of all chains, for what concerns every one of them. */
  private materialise(): Map<string, ChainDraft> {
    for (const [name, chain] of this.layered ?? [])
      if (!this.chains.has(name)) this.chains.set(name, untouched(chain));
    this.layered = null;
    return this.chains;
  }

  isBuiltIn(chain: string): boolean {
    return this.builtIn.includes(chain);
  }

  /** A `:CHAIN POLICY [p:b]` line: makes the chain, or empties it when it is there and not built in. */
  declare(chain: string, policy: Chain["policy"], counters: Counters): void {
    if (this.isBuiltIn(chain)) {
      const draft = this.touch(chain);
      if (policy !== null) draft.policy = policy;
      if (counters !== null) setCounters(draft, 0, counters);
      return;
    }
    if (policy !== null) throw new OptionError(`chain "${chain}" is not built in and can have no policy`);
    if (this.has(chain)) this.flush(chain);
    else this.create(chain);
  }

  create(chain: string): void {
    if (this.has(chain)) throw new OptionError(`chain "${chain}" already exists`);
    if (chain === "" || chain.startsWith("-") || chain.startsWith("!") || /\s/.test(chain)) {
      throw new OptionError(`"${chain}" is no name for a chain`);
    }
    if (chain.length > 28) throw new OptionError(`chain name "${chain}" must be under 29 characters`);
    this.chains.set(chain, { policy: null, rules: [], counters: null, from: null });
    this.flushed.add(chain);
  }

  flush(chain: string | null): void {
    for (const name of chain === null ? [...this.materialise().keys()] : [chain]) {
      const draft = this.touch(name);
      draft.rules = [];
      if (draft.counters !== null) draft.counters.length = 2;
      this.flushed.add(name);
    }
  }

  remove(chain: string | null): void {
    const chains = this.materialise();
    const names = chain === null ? [...chains.keys()].filter((name) => !this.isBuiltIn(name)) : [chain];
    for (const name of names) {
      const draft = this.get(name);
      if (this.isBuiltIn(name)) throw new OptionError(`chain "${name}" is built in and cannot be deleted`);
      if (draft.rules.length > 0) throw new OptionError(`chain "${name}" is not empty`);
    }
    for (const name of names) {
      const user = this.userOf(name);
      if (user !== null) throw new OptionError(`chain "${name}" is still used by "${user}"`);
    }
    for (const name of names) chains.delete(name);
  }

  zero(chain: string | null): void {
    for (const name of chain === null ? [...this.materialise().keys()] : [chain]) {
      this.touch(name).counters = null;
      this.flushed.add(name);
    }
  }

  setPolicy(chain: string, policy: string): void {
    if (!this.isBuiltIn(chain))
      throw new OptionError(`chain "${chain}" is not built in and can have no policy`);
    if (policy !== "ACCEPT" && policy !== "DROP") throw new OptionError(`bad policy "${policy}"`);
    this.touch(chain).policy = policy;
  }

  rename(chain: string, name: string): void {
    this.materialise();
    const draft = this.touch(chain);
    if (this.isBuiltIn(chain)) throw new OptionError(`chain "${chain}" is built in and cannot be renamed`);
    const user = this.userOf(chain);
    if (user !== null)
      throw new OptionError(`chain "${chain}" is used by "${user}" and cannot be renamed here`);
    this.create(name);
    this.chains.delete(chain);
    this.chains.set(name, draft);
  }

  append(chain: string, rules: readonly Rule[], counters: Counters): void {
    this.splice(chain, this.get(chain).rules.length, 0, rules, counters);
  }

  insert(chain: string, position: number, rules: readonly Rule[], counters: Counters): void {
    if (position < 1 || position > this.get(chain).rules.length + 1) {
      throw new OptionError(`index of insertion too big: ${position}`);
    }
    this.splice(chain, position - 1, 0, rules, counters);
  }

  replace(chain: string, position: number | null, rules: readonly Rule[], counters: Counters): void {
    if (position === null || rules.length !== 1)
      throw new OptionError("-R needs the number of one rule and one rule");
    this.splice(chain, this.positionIn(chain, position), 1, rules, counters);
  }

  deleteAt(chain: string, position: number): void {
    this.splice(chain, this.positionIn(chain, position), 1, [], null);
  }

  /** Deletes for each of the rules the first one that prints the same. */
  deleteEqual(chain: string, rules: readonly Rule[]): void {
    for (const rule of rules) {
      const at = this.get(chain).rules.findIndex((r) => r.text === rule.text);
      if (at < 0) throw new OptionError(`bad rule (does a matching rule exist in chain "${chain}"?)`);
      this.splice(chain, at, 1, [], null);
    }
  }

  finish(store: RuleStore): Table {
    const finished = new Map<string, Chain>();
    for (const [name, { policy, rules, counters, from }] of this.chains) {
      if (from !== null && this.layered !== null) continue;
      finished.set(name, from ?? store.chain(name, policy, rules, counters));
    }
    const chains = this.layered === null ? finished : this.layered.with(finished);
    return { name: this.name, chains, flushed: this.flushed };
  }

  private positionIn(chain: string, position: number): number {
    if (position < 1 || position > this.get(chain).rules.length) {
      throw new OptionError(`chain "${chain}" has no rule ${position}`);
    }
    return position - 1;
  }

  private userOf(chain: string): string | null {
    if (this.users === null) {
      this.users = new Map();
      for (const [name, draft] of this.chains) {
        for (const rule of draft.rules) if (jumps(rule)) this.users.set(rule.target.name, name);
      }
    }
    return this.users.get(chain) ?? null;
  }

  private get(chain: string): ChainDraft {
    let draft = this.chains.get(chain);
    const layered = draft === undefined ? this.layered?.get(chain) : undefined;
    if (layered !== undefined) {
      draft = untouched(layered);
      this.chains.set(chain, draft);
    }
    if (draft === undefined) throw new OptionError(`no chain "${chain}" in table "${this.name}"`);
    return draft;
  }

  private touch(chain: string): ChainDraft {
    const draft = this.get(chain);
    this.users = null;
    if (draft.from !== null) {
      draft.rules = [...draft.from.rules];
      draft.counters = draft.from.counters === null ? null : [...draft.from.counters];
      draft.from = null;
    }
    return draft;
  }

  private splice(chain: string, at: number, gone: number, rules: readonly Rule[], counters: Counters): void {
    const draft = this.touch(chain);
    draft.rules.splice(at, gone, ...rules);
    if (draft.counters !== null) {
      const zeros = rules.flatMap(() => [0, 0]);
      draft.counters.splice(2 * at + 2, 2 * gone, ...zeros);
    }
    if (counters !== null) rules.forEach((_, i) => void setCounters(draft, at + i + 1, counters));
  }
}

const untouched = (chain: Chain): ChainDraft => ({
  policy: chain.policy,
  rules: chain.rules as Rule[],
  counters: null,
  from: chain,
});

const jumps = ({ target }: Rule): boolean => target.code === TARGET_JUMP || target.code === TARGET_GOTO;

/** Number 0 is the policy. */
function setCounters(draft: ChainDraft, n: number, [packets, bytes]: readonly [number, number]): void {
  if (draft.counters === null) {
    if (packets === 0 && bytes === 0) return;
    draft.counters = new Array<number>(2 * draft.rules.length + 2).fill(0);
  }
  while (draft.counters.length < 2 * draft.rules.length + 2) draft.counters.push(0);
  draft.counters[2 * n] = packets;
  draft.counters[2 * n + 1] = bytes;
}
