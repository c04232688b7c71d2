import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededChooser } from "../../../../src/linux/chooser.ts";
import { writeRuleSet } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { walkTable, walkTableNaively } from "../../../../src/linux/netfilter/rules/walk.ts";
import { arbitraryPacket, arbitraryRules } from "./arbitraries.ts";
import { makeSkb, type PacketFields, RuleBench, TestHost } from "./harness.ts";

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
});
