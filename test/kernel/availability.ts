import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { missingRequirements } from "../../src/lab/requirements.ts";

const missing = [...new Set([...missingRequirements("nft"), ...missingRequirements("legacy")])];

/** False, said in one line, where the kernel cannot be asked. */
export const kernelIsThere: boolean = missing.length === 0;
if (!kernelIsThere) process.stderr.write(`test/kernel is skipped: the lab needs ${missing.join(", ")}\n`);

/** Names of this process's labs begin so. */
export const LAB_NAME = `t${process.pid}`;

/** Takes away what labs of test processes have left that are no more. */
export function sweepStale(): void {
  let names: string[] = [];
  try {
    names = readdirSync("/run/netns");
  } catch {
    return;
  }
  for (const name of names) {
    const pid = /^pp-t(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) spawnSync("ip", ["netns", "delete", name]);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
