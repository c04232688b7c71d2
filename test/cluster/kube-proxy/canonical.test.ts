import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { generateRestore } from "../../../src/cluster/kube-proxy/restore.ts";
import { generateRestore as generateRestore17 } from "../../../src/cluster/kube-proxy/v1.7/restore.ts";
import { writeRuleSet } from "../../../src/linux/netfilter/iptables-save/write.ts";
import { applyRestore } from "../../../src/linux/netfilter/rules/restore.ts";
import { readCases } from "./cases.ts";

const VARIANTS = ["nft", "legacy"] as const;
const NFACCT = "nfacct add ct_state_invalid_dropped_pkts && nfacct add localhost_nps_accepted_pkts";
/** What is there before kube-proxy comes: nothing but kubelet's chain, which 1.7 jumps to. */
const BEFORE = "*filter\nCOMMIT\n*nat\n:KUBE-MARK-DROP - [0:0]\nCOMMIT\n";

function canRun(): boolean {
  const tools = VARIANTS.map((variant) => `command -v iptables-${variant}-restore`).join(" && ");
  return spawnSync("unshare", ["-n", "sh", "-c", `${tools} && ${NFACCT}`]).status === 0;
}

const runs = canRun();
if (!runs)
  console.log("skipped: needs root, unshare, nfacct, iptables-nft-restore and iptables-legacy-restore");

const folder = mkdtempSync(join(tmpdir(), "kube-proxy-canonical-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Restores every file into emptied tables, and lets iptables-save print what the kernel then holds. */
function saveEach(variant: string, names: readonly string[]): void {
  const script = `${NFACCT}
for name in ${names.join(" ")}; do
  iptables-${variant}-restore < ${folder}/before || exit 1
  iptables-${variant}-restore --noflush --counters < ${folder}/$name || exit 1
  iptables-${variant}-save > ${folder}/$name.${variant}
done`;
  const env = { ...process.env, XTABLES_LOCKFILE: join(folder, "lock") };
  const run = spawnSync("unshare", ["-n", "sh", "-c", script], { encoding: "utf8", env });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
}

/** Without comments, and the tables in one order: each tool has its own. */
const tablesOf = (text: string): readonly string[] =>
  text
    .replace(/^#.*\n/gm, "")
    .split(/(?<=^COMMIT\n)/m)
    .sort();

const ours = (text: string): string => {
  const before = applyRestore(null, BEFORE, { noflush: false });
  return writeRuleSet(applyRestore(before, text, { noflush: true }), null, { counters: false });
};

describe.skipIf(!runs)("the real iptables-save gives every generated rule set back", () => {
  const files = new Map<string, string>();
  for (const { name, input } of readCases()) {
    files.set(name, generateRestore(input));
    files.set(`${name}-v1.7`, generateRestore17(input));
  }

  it.each(VARIANTS)("%s: equal to what is printed here of the same text", { timeout: 120_000 }, (variant) => {
    writeFileSync(join(folder, "before"), BEFORE);
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    saveEach(variant, [...files.keys()]);
    let equal = 0;
    for (const [name, text] of files) {
      const theirs = readFileSync(join(folder, `${name}.${variant}`), "utf8");
      expect(tablesOf(ours(text)), name).toEqual(tablesOf(theirs));
      equal++;
    }
    console.log(`iptables-${variant}-save: ${equal} of ${files.size} rule sets equal`);
  });
});
