import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const VARIANTS = ["nft", "legacy"] as const;
export type Variant = (typeof VARIANTS)[number];

const NFACCT = "nfacct add ct_state_invalid_dropped_pkts && nfacct add localhost_nps_accepted_pkts";

function canRun(): boolean {
  const tools = VARIANTS.map((variant) => `command -v iptables-${variant}-restore`).join(" && ");
  return spawnSync("unshare", ["-n", "sh", "-c", `${tools} && ${NFACCT}`]).status === 0;
}

/** Can the real tools be run here? */
export const hasIptables = canRun();
if (!hasIptables)
  console.log("skipped: needs root, unshare, nfacct, iptables-nft-restore and iptables-legacy-restore");

/**
 * Hands the texts, one after the other, to `iptables-restore --noflush` in a namespace of its own, and gives what
 * `iptables-save` then prints, without comment lines.
 */
export function realSave(variant: Variant, texts: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "node-rules-"));
  try {
    const script = `set -e
${NFACCT}
${texts.map((text) => `iptables-${variant}-restore --noflush <<'END'\n${text}END`).join("\n")}
iptables-${variant}-save`;
    const env = { ...process.env, XTABLES_LOCKFILE: join(folder, "lock") };
    const out = execFileSync("unshare", ["-n", "sh", "-c", script], {
      encoding: "utf8",
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return out.replace(/^#.*\n/gm, "");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The rules of a save text by table and chain, with the chains' lines, counters left out; the order of chains does not count. */
export function rulesOf(save: string): Record<string, string[]> {
  const tables: Record<string, string[]> = {};
  let own: string[] = [];
  for (const line of save.split("\n")) {
    if (line.startsWith("*")) {
      own = [];
      tables[line.slice(1)] = own;
    } else if (line !== "" && line !== "COMMIT") own.push(line.replace(/ \[\d+:\d+\]$/, ""));
  }
  for (const lines of Object.values(tables)) {
    const chains = lines.filter((line) => line.startsWith(":")).sort();
    const rules = lines.filter((line) => line.startsWith("-"));
    rules.sort((a, b) => chainOf(a).localeCompare(chainOf(b)));
    lines.splice(0, lines.length, ...chains, ...rules);
  }
  return tables;
}

const chainOf = (rule: string): string => rule.split(" ")[1] ?? "";
