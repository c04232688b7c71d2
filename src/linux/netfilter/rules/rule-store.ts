import { type Argument, splitArguments } from "./arguments.ts";
import { parseRule } from "./parse-rule.ts";
import type { ParsedRule } from "./rule-draft.ts";
import type { Chain, Rule } from "./rule-set.ts";

/** Keeps rules and chains that have been seen, so that reading the same text again gives the same objects. */
export class RuleStore {
  private readonly parsed = new Map<string, ParsedRule>();
  private readonly chains = new Map<string, Chain>();
  private readonly numbers = new Map<Rule, number>();

  /** {@link parseRule}, remembered by the text of the arguments. */
  parse(args: readonly Argument[], line: string, table: string): ParsedRule {
    const first = args[0];
    const key = first === undefined ? table : `${table} ${line.slice(first.start)}`;
    const known = this.parsed.get(key);
    if (known !== undefined) return known;
    const parsed = parseRule(args, line, table);
    this.parsed.set(key, parsed);
    return parsed;
  }

  /** The rules of a line `-A CHAIN …`. Throws {@link import("./error.ts").OptionError} as {@link parseRule} does. */
  parseAppended(line: string, table: string): readonly Rule[] {
    return this.parse(splitArguments(line).slice(2), line, table).rules;
  }

  /** The chain of this name, policy and rules. Chains with counters of their own are never shared. */
  chain(name: string, policy: Chain["policy"], rules: readonly Rule[], counters: Chain["counters"]): Chain {
    if (counters !== null) return { name, policy, rules, counters };
    const key = `${name} ${policy} ${rules.map((rule) => this.numberOf(rule)).join(",")}`;
    const known = this.chains.get(key);
    if (known !== undefined) return known;
    const chain: Chain = { name, policy, rules, counters };
    this.chains.set(key, chain);
    return chain;
  }

  private numberOf(rule: Rule): number {
    let n = this.numbers.get(rule);
    if (n === undefined) {
      n = this.numbers.size;
      this.numbers.set(rule, n);
    }
    return n;
  }
}
