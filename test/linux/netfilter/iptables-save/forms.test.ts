import { describe, expect, it } from "vitest";
import { printRule, writeRuleSet } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import type { RuleSet } from "../../../../src/linux/netfilter/rules/rule-set.ts";
import { FORMS, type Form, UNKNOWN_FORMS } from "./forms.ts";

const textOf = ({ table, chain }: Form, rules: readonly string[]): string =>
  [
    `*${table}`,
    ...(chain === "OWN" ? [":OWN - [0:0]"] : []),
    ":UCHAIN - [0:0]",
    ...rules.map((r) => `-A ${chain} ${r}`.trimEnd()),
    "COMMIT",
    "",
  ].join("\n");

const load = (form: Form, rules: readonly string[]): RuleSet =>
  applyRestore(null, textOf(form, rules), { noflush: false });

const printed = (form: Form, ruleSet: RuleSet): string[] =>
  ruleSet.tables[0]!.chains.get(form.chain)!.rules.map((rule) =>
    printRule(form.chain, rule).slice(4 + form.chain.length),
  );

describe("a rule as typed is printed as iptables-save prints it", () => {
  it.each(FORMS.map((form) => [`${form.table}: ${form.typed}`, form] as const))("%s", (_name, form) => {
    const ruleSet = load(form, [form.typed]);
    expect(ruleSet.unknown).toEqual([]);
    expect(printed(form, ruleSet)).toEqual(form.saved);
    expect(printed(form, load(form, form.saved))).toEqual(form.saved);
  });
});

describe("a rule with an extension that is not modelled is kept as it is written", () => {
  it.each(UNKNOWN_FORMS.map((form) => [form.typed, form] as const))("%s", (_name, form) => {
    const ruleSet = load(form, [form.typed]);
    expect(ruleSet.unknown.map((u) => u.line)).toEqual([form.chain === "OWN" ? 4 : 3]);
    expect(printed(form, ruleSet)).toEqual(form.saved);
    expect(writeRuleSet(ruleSet, null, { counters: false })).toContain(`-A ${form.chain} ${form.typed}\n`);
  });
});
