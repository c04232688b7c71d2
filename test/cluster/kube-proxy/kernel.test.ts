import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { generateRestore } from "../../../src/cluster/kube-proxy/restore.ts";
import { ensureJumps, JUMPS, type Jump } from "../../../src/cluster/kube-proxy/setup.ts";
import { generateRestore as generateRestore17 } from "../../../src/cluster/kube-proxy/v1.7/restore.ts";
import { JUMPS as JUMPS_17 } from "../../../src/cluster/kube-proxy/v1.7/setup.ts";
import { readCases } from "./cases.ts";

const VARIANTS = ["nft", "legacy"] as const;
const NFACCT = "nfacct add ct_state_invalid_dropped_pkts && nfacct add localhost_nps_accepted_pkts";

function canRun(): boolean {
  const tools = VARIANTS.map((variant) => `command -v iptables-${variant}-restore`).join(" && ");
  return spawnSync("unshare", ["-n", "sh", "-c", `${tools} && ${NFACCT}`]).status === 0;
}

const runs = canRun();
if (!runs)
  console.log("skipped: needs root, unshare, nfacct, iptables-nft-restore and iptables-legacy-restore");

const folder = mkdtempSync(join(tmpdir(), "kube-proxy-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** iptables-legacy locks a file of the whole machine's unless it is told another. */
const env = { ...process.env, XTABLES_LOCKFILE: join(folder, "lock") };

const EMPTY = "*filter\\nCOMMIT\\n*nat\\n:KUBE-MARK-DROP - [0:0]\\nCOMMIT\\n";

/** Restores every file into emptied tables and prints `name status rules-held` a file. */
function restoreAll(variant: string, names: readonly string[]): ReadonlyMap<string, string> {
  const script = `${NFACCT}
for name in ${names.join(" ")}; do
  printf '${EMPTY}' | iptables-${variant}-restore || exit 1
  iptables-${variant}-restore --noflush --counters < ${folder}/$name 2> ${folder}/errors
  echo "$name $? $(iptables-${variant}-save | grep -c ^-A) $(head -c 200 ${folder}/errors | tr '\\n' ' ')"
done`;
  const out = execFileSync("unshare", ["-n", "sh", "-c", script], { encoding: "utf8", env });
  const lines = out.trim().split("\n");
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1).trim()]),
  );
}

function jumpCommands(variant: string, jumps: readonly Jump[]): string {
  return jumps
    .map(
      ({ table, from, to, rule }) =>
        `iptables-${variant} -t ${table} -N ${to} 2>/dev/null; iptables-${variant} -t ${table} -I ${from} ${rule}`,
    )
    .join("\n");
}

describe.skipIf(!runs)("the real iptables", () => {
  const files = new Map<string, string>();
  for (const { name, input } of readCases()) {
    files.set(name, generateRestore(input));
    files.set(`${name}-v1.7`, generateRestore17(input));
  }

  it.each(VARIANTS)("%s takes every generated rule set and holds every rule", (variant) => {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    const results = restoreAll(variant, [...files.keys()]);
    const wanted = [...files].map(
      ([name, text]) => [name, `0 ${text.match(/^-A /gm)?.length ?? 0}`] as const,
    );
    expect([...results]).toEqual(wanted);
  });

  it.each(VARIANTS)("%s prints the jumps as they are written here, the last one ensured first", (variant) => {
    for (const jumps of [JUMPS, JUMPS_17]) {
      const script = `${jumpCommands(variant, jumps)}\niptables-${variant}-save`;
      const saved = execFileSync("unshare", ["-n", "sh", "-c", script], { encoding: "utf8", env });
      for (const { table, from } of jumps) {
        const section = saved.split(/^COMMIT$/m).find((text) => text.includes(`*${table}\n`)) ?? "";
        const held = section.split("\n").filter((line) => line.startsWith(`-A ${from} `));
        const wanted = ensureJumps([], table, from, jumps).map((rule) => `-A ${from} ${rule}`);
        expect(held).toEqual(wanted);
      }
    }
  });
});
