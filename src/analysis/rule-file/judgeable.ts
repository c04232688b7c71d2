import { RuleSetError } from "../../linux/netfilter/rules/error.ts";
import type { Match } from "../../linux/netfilter/rules/match/extension.ts";
import type { Chain, Rule, RuleSet, Table } from "../../linux/netfilter/rules/rule-set.ts";
import type { RuleLines } from "./rule-lines.ts";

/**
 * The rule set with traps where a packet cannot be judged: a match or target that is not modelled, or a set whose
 * members the file does not hold. A packet that never gets there is judged by the rest; one that does ends in a
 * {@link RuleSetError} with the rule's line.
 */
export function withTraps(ruleSet: RuleSet, lines: RuleLines): RuleSet {
  const unknownLines = new Map(ruleSet.unknown.map((u) => [u.rule, u.line]));
  const trapped = (table: Table, chain: Chain, rule: Rule, i: number): Rule => {
    const line = unknownLines.get(rule) ?? lines(table.name, chain.name, i + 1);
    return withTrap(rule, line);
  };
  const tables = ruleSet.tables.map((table) => {
    const chains = [...table.chains].map(([name, chain]): [string, Chain] => {
      if (!chain.rules.some(needsTrap)) return [name, chain];
      return [name, { ...chain, rules: chain.rules.map((rule, i) => trapped(table, chain, rule, i)) }];
    });
    return { ...table, chains: new Map(chains) };
  });
  return { tables, unknown: [] };
}

const isSet = (match: Match): boolean => match.name === "set";

const needsTrap = (rule: Rule): boolean => rule.unknown !== null || rule.matches.some(isSet);

function withTrap(rule: Rule, line: number | null): Rule {
  if (!needsTrap(rule)) return rule;
  const { unknown } = rule;
  const conditions = rule.conditions.map((match) => {
    if (isSet(match)) return trap(match, line, `${match.text}: the file does not hold the set's members`);
    // what the reader could not take has no data
    return unknown !== null && match.data === null ? trap(match, line, unknown) : match;
  });
  if (unknown !== null) conditions.push(trap({ ...NO_MATCH, name: rule.target.name }, line, unknown));
  return { ...rule, conditions, stateful: conditions.some((m) => m.newState !== null), unknown: null };
}

const NO_MATCH: Match = {
  name: "",
  data: null,
  evaluate: () => true,
  newState: null,
  pure: false,
  text: "",
};

function trap(match: Match, line: number | null, detail: string): Match {
  return {
    ...match,
    newState: null,
    pure: false,
    evaluate: () => {
      throw new RuleSetError(line, `${detail}: no packet can be judged by this rule`);
    },
  };
}
