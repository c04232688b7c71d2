import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readSaveFile } from "../../../../src/linux/netfilter/iptables-save/read.ts";
import { writeRuleSet, writeSaveFile } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import { RuleSetState } from "../../../../src/linux/netfilter/rules/state.ts";
import { FORMS, UNKNOWN_FORMS } from "./forms.ts";
import { realIptables, saveAfterRestore, VARIANTS } from "./real-iptables.ts";

/** All forms in one text: each table's rules together, counters and odd things included. */
function everyForm(): string {
  const longest = `-A OWN -m comment --comment "${"é".repeat(127)}" -j ACCEPT`;
  const lines: string[] = [];
  for (const table of ["raw", "mangle", "nat", "filter", "security"] as const) {
    lines.push("# a comment of somebody", `*${table}`, ":OWN - [0:0]", ":UCHAIN - [0:0]");
    // nft refuses a rule that can never match; legacy a table that is not compiled in
    const forms = [...FORMS, ...UNKNOWN_FORMS].filter(
      (f) => f.table === table && !f.typed.startsWith("! -d 0.0.0.0/0"),
    );
    forms.forEach((f, i) => void lines.push(`[${i}:${i * 1500}] -A ${f.chain} ${f.typed}`.trimEnd()));
    if (table === "filter") lines.push(longest, `[7:4294967296] ${longest}`);
    lines.push("COMMIT", "");
  }
  return lines.join("\n");
}

const withoutComments = (text: string): string => text.replace(/^#.*\n/gm, "");

describe.skipIf(!realIptables())(
  "what the real iptables-save prints (skipped without root, iptables, ipset, nfacct)",
  () => {
    it.each(VARIANTS)("%s: every form, with counters, reads and writes back to the same bytes", (variant) => {
      const saved = saveAfterRestore(variant, everyForm(), true);
      expect(saved.split("\n").length).toBeGreaterThan(250);
      expect(writeSaveFile(readSaveFile(saved))).toBe(saved);
      const ruleSet = applyRestore(null, saved, { noflush: false, counters: true });
      expect(writeRuleSet(ruleSet, null, { counters: true })).toBe(withoutComments(saved));
    });

    it.each(VARIANTS)("%s: what is typed becomes what iptables makes of it", (variant) => {
      const typed = everyForm();
      const theirs = withoutComments(saveAfterRestore(variant, typed, true));
      const ours = writeRuleSet(applyRestore(null, typed, { noflush: false, counters: true }), null, {
        counters: true,
      });
      // Extensions that are not modelled stay as they were typed, and each tool has its own order of tables
      expect(tablesOf(ours)).toEqual(tablesOf(theirs));
    });

    it.each(VARIANTS)("%s: without counters", (variant) => {
      const saved = saveAfterRestore(variant, everyForm(), false);
      expect(writeSaveFile(readSaveFile(saved))).toBe(saved);
      const ruleSet = applyRestore(null, saved, { noflush: false });
      expect(writeRuleSet(ruleSet, null, { counters: false })).toBe(withoutComments(saved));
    });
  },
);

const tablesOf = (text: string): string[] => text.split(/(?<=COMMIT\n)/).sort();

interface Plan {
  readonly rulesets: Readonly<Record<string, readonly string[]>>;
}

const plan = JSON.parse(
  gunzipSync(
    readFileSync(new URL("../../../vectors/kernel/flannel-udp.plan.json.gz", import.meta.url)),
  ).toString(),
) as Plan;

describe("the rule sets of the measured cluster", () => {
  it.each(Object.entries(plan.rulesets))(
    "%s reads and writes back, and packets can be judged by it",
    (name, lines) => {
      const text = `${lines.join("\n")}\n`;
      expect(writeSaveFile(readSaveFile(text))).toBe(text);
      const whole = name.startsWith("dns-") ? plan.rulesets["srv-k8s-node1"]! : [];
      const before = whole.length === 0 ? null : applyRestore(null, whole.join("\n"), { noflush: false });
      const ruleSet = applyRestore(before, text, { noflush: before !== null });
      const state = new RuleSetState(ruleSet);
      const written = writeRuleSet(ruleSet, state, { counters: false });
      if (before === null) expect(written.split("\n").sort()).toEqual(text.split("\n").sort());
      expect(writeRuleSet(applyRestore(null, written, { noflush: false }), null, { counters: false })).toBe(
        written,
      );
    },
  );
});
