import { describe, expect, it } from "vitest";
import { readSaveFile } from "../../../../src/linux/netfilter/iptables-save/read.ts";
import { writeRuleSet, writeSaveFile } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import { realIptables, saveAfterRestore, VARIANTS } from "./real-iptables.ts";

const OWN = [":OWN - [3:180]", "[1:60] -A OWN -j ACCEPT"];

/** What was loaded, in words, and as text. */
const FILES: readonly (readonly [string, string])[] = [
  [
    "tables without a rule",
    "*raw\nCOMMIT\n*mangle\nCOMMIT\n*nat\nCOMMIT\n*filter\nCOMMIT\n*security\nCOMMIT\n",
  ],
  [
    "policies and nothing else",
    "*filter\n:INPUT DROP [5:300]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [7:420]\nCOMMIT\n",
  ],
  ["chains without a rule", "*filter\n:B - [0:0]\n:A - [0:0]\n:KUBE-X - [0:0]\nCOMMIT\n"],
  ["a rule of nothing", "*filter\n[9:540] -A FORWARD\nCOMMIT\n"],
  [
    "counters as large as they come",
    "*filter\n[9007199254740991:9007199254740991] -A FORWARD -j DROP\nCOMMIT\n",
  ],
  [
    "comments with quotes, backslashes, blanks at the ends and letters beyond ASCII",
    [
      "*filter",
      ...[
        'say \\"no\\"',
        "C:\\\\path\\\\",
        " blanks ",
        "it\\'s",
        "größer 大 🙂",
        "$(x) `y` ; | & # * :",
        "-A INPUT",
        "COMMIT",
        "a,b/c:d",
      ].map((text) => `-A FORWARD -m comment --comment "${text}" -j ACCEPT`),
      "COMMIT",
      "",
    ].join("\n"),
  ],
  [
    "a comment as long as one may be",
    `*filter\n-A FORWARD -m comment --comment "${"x ".repeat(127)}y" -j ACCEPT\nCOMMIT\n`,
  ],
];

describe.skipIf(!realIptables())(
  "odd files as the real iptables-save -c prints them (skipped without root and tools)",
  () => {
    const cases = FILES.flatMap(([what, text]) => VARIANTS.map((variant) => [variant, what, text] as const));
    it.each(cases)("%s: %s", (variant, _what, text) => {
      const saved = saveAfterRestore(variant, text, true);
      // iptables-nft makes no table that holds nothing
      expect(saved === "").toBe(variant === "nft" && !/^[:[-]/m.test(text));
      expect(writeSaveFile(readSaveFile(saved))).toBe(saved);
      const ruleSet = applyRestore(null, saved, { noflush: false, counters: true });
      expect(writeRuleSet(ruleSet, null, { counters: true })).toBe(saved.replace(/^#.*\n/gm, ""));
    });

    it.each(VARIANTS)("%s: several saves in one file, a COMMIT each", (variant) => {
      const one = saveAfterRestore(variant, ["*filter", ...OWN, "COMMIT", ""].join("\n"), true);
      const file = `${one}\n${one}# the end, without a newline`;
      expect(writeSaveFile(readSaveFile(file))).toBe(file);
      const ruleSet = applyRestore(null, file, { noflush: false, counters: true });
      expect(writeRuleSet(ruleSet, null, { counters: true })).toBe(one.replace(/^#.*\n/gm, ""));
    });
  },
);
