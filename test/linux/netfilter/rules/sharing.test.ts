import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeRuleSet } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import { tracksConnections } from "../../../../src/linux/netfilter/rules/rule-facts.ts";
import { RuleStore } from "../../../../src/linux/netfilter/rules/rule-store.ts";
import { arbitraryRules } from "./arbitraries.ts";

const textOf = ({ table, lines }: { table: string; lines: readonly string[] }): string =>
  [`*${table}`, ...lines, "COMMIT", ""].join("\n");

describe("random rule sets", () => {
  it("are printed in one form, which reads as itself", () => {
    fc.assert(
      fc.property(arbitraryRules, (rules) => {
        const printed = writeRuleSet(applyRestore(null, textOf(rules), { noflush: false }), null, {
          counters: false,
        });
        const again = applyRestore(null, printed, { noflush: false });
        expect(writeRuleSet(again, null, { counters: false })).toBe(printed);
      }),
      { numRuns: 200 },
    );
  });

  it("share every chain with equal ones that are kept in the same store", () => {
    fc.assert(
      fc.property(arbitraryRules, (rules) => {
        const store = new RuleStore();
        const [a, b] = [0, 1].map(
          () => applyRestore(null, textOf(rules), { noflush: false, store }).tables[0]!,
        );
        for (const [name, chain] of a!.chains) expect(b!.chains.get(name)).toBe(chain);
      }),
    );
  });
});

describe("a namespace tracks connections as soon as a rule needs it", () => {
  it.each([
    ["*filter\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n", false],
    ["*nat\n:X - [0:0]\n-A PREROUTING -j X\nCOMMIT\n", false],
    ["*filter\n:UNUSED - [0:0]\n-A UNUSED -m conntrack --ctstate NEW\nCOMMIT\n", true],
    ["*filter\n-A INPUT -m state --state NEW\nCOMMIT\n", true],
    ["*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n", true],
    ["*mangle\n-A OUTPUT -j CONNMARK --save-mark\nCOMMIT\n", true],
    ["*raw\n-A OUTPUT -j CT --notrack\nCOMMIT\n", true],
  ])("%j → %s", (text, expected) => {
    expect(tracksConnections(applyRestore(null, text, { noflush: false }))).toBe(expected);
  });
});
