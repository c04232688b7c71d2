import { spawnSync } from "node:child_process";

export const VARIANTS = ["nft", "legacy"] as const;
export type Variant = (typeof VARIANTS)[number];

/** Can this machine make a network namespace and load rules into it? */
export function realIptables(): boolean {
  const probe = VARIANTS.map((v) => `iptables-${v}-restore --version`).join(" && ");
  return spawnSync("unshare", ["-n", "sh", "-c", `${probe} && ipset --version && nfacct help`]).status === 0;
}

/** Loads each text into a namespace of its own, with the sets and counters that the forms name, and gives what iptables-save prints then. */
export function saveAfterRestore(variant: Variant, text: string, counters: boolean): string {
  const script = [
    "ipset create s1 hash:ip",
    "ipset create s2 hash:ip,port",
    "for c in cnt1 ct_state_invalid_dropped_pkts localhost_nps_accepted_pkts; do nfacct add $c; done",
    `iptables-${variant}-restore ${counters ? "-c" : ""} && iptables-${variant}-save ${counters ? "-c" : ""}`,
  ].join("; ");
  const run = spawnSync("unshare", ["-n", "sh", "-c", script], {
    input: text,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) throw new Error(`iptables-${variant}-restore: ${run.stderr}`);
  return run.stdout;
}
