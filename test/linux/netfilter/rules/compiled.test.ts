import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededChooser } from "../../../../src/linux/chooser.ts";
import { writeRuleSet } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { type ChainEdit, editChain } from "../../../../src/linux/netfilter/rules/edited-chain.ts";
import type { RuleSet } from "../../../../src/linux/netfilter/rules/rule-set.ts";
import { walkTable, walkTableNaively } from "../../../../src/linux/netfilter/rules/walk.ts";
import { arbitraryPacket, arbitraryRules } from "./arbitraries.ts";
import { makeSkb, type PacketFields, RuleBench, rulesOf, TestHost } from "./harness.ts";

/** Everything that a packet through the rules can be seen to do. */
function observe(bench: RuleBench, fields: PacketFields): unknown {
  const skb = makeSkb(fields);
  bench.host.clock.nowUs += 500_000;
  const { verdict, matched } = bench.send("OUTPUT", skb, fields);
  const { natTarget, reject, rulesWalked, decidedChain, decidedRule } = bench.state;
  return {
    verdict,
    matched,
    natTarget,
    reject,
    rulesWalked,
    decided: [decidedChain?.name, decidedRule],
    marks: [skb.mark, skb.ct?.mark],
  };
}

const counters = (bench: RuleBench): string =>
  writeRuleSet(bench.state.ruleSet, bench.state, { counters: true });

describe("the compiled rule set", () => {
  it("agrees with the naive walk on everything, for random rules and 20,000 random packets", () => {
    let packets = 0;
    let indexed = 0;
    fc.assert(
      fc.property(
        arbitraryRules,
        fc.array(arbitraryPacket, { minLength: 100, maxLength: 120 }),
        ({ table, lines }, sent) => {
          const naive = new RuleBench(table, lines, new TestHost(new SeededChooser(7)), walkTableNaively);
          const compiled = new RuleBench(table, lines, new TestHost(new SeededChooser(7)), walkTable);
          if (compiled.state.table(table)!.base[3]!.index !== null) indexed++;
          for (const fields of sent) {
            expect(observe(compiled, fields)).toEqual(observe(naive, fields));
            packets++;
          }
          expect(counters(compiled)).toBe(counters(naive));
          // Both have asked for as many random numbers
          expect(compiled.host.chooser.pick(1 << 30, "port")).toBe(naive.host.chooser.pick(1 << 30, "port"));
          expect(compiled.state.accounting("seen")).toEqual(naive.state.accounting("seen"));
        },
      ),
      { numRuns: 200 },
    );
    expect(packets).toBeGreaterThanOrEqual(20_000);
    expect(indexed).toBeGreaterThan(40);
  }, 60_000);

  it("agrees where a chain was edited from another one, whose index it uses", () => {
    let indexed = 0;
    const edits = fc.array(fc.record({ skip: fc.nat(12), removed: fc.nat(3), inserted: fc.nat(3) }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        arbitraryRules,
        edits,
        fc.array(arbitraryPacket, { minLength: 50, maxLength: 60 }),
        ({ table, lines }, changes, sent) => {
          const rules = edited(rulesOf(table, lines), changes);
          const naive = new RuleBench(table, rules, new TestHost(new SeededChooser(7)), walkTableNaively);
          const compiled = new RuleBench(table, rules, new TestHost(new SeededChooser(7)), walkTable);
          if (compiled.state.table(table)!.base[3]!.index?.edits) indexed++;
          for (const fields of sent) expect(observe(compiled, fields)).toEqual(observe(naive, fields));
          expect(counters(compiled)).toBe(counters(naive));
        },
      ),
      { numRuns: 200 },
    );
    expect(indexed).toBeGreaterThan(40);
  }, 60_000);
});

/** The rules with OUTPUT edited: what is put in are rules of its own, in another order. */
function edited(
  rules: RuleSet,
  changes: readonly { skip: number; removed: number; inserted: number }[],
): RuleSet {
  const [table] = rules.tables;
  const original = table!.chains.get("OUTPUT")!;
  const edits: ChainEdit[] = [];
  let next = 0;
  for (const { skip, removed, inserted } of changes) {
    const at = next + skip;
    if (at + removed > original.rules.length) break;
    edits.push({ at, removed, inserted: original.rules.slice(0, inserted).reverse() });
    next = at + removed + 1;
  }
  const chain = editChain(original, edits);
  return { ...rules, tables: [{ ...table!, chains: new Map([...table!.chains, ["OUTPUT", chain]]) }] };
}
