import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

/**
 * Takes away the namespaces of labs that are named `KIND` and the number of a process that is no more, as `t4711-0` is:
 * what a program has left that was killed together with its agent.
 */
export function sweepLabs(kind: string): void {
  let names: string[];
  try {
    names = readdirSync("/run/netns");
  } catch {
    return;
  }
  const named = new RegExp(`^pp-${kind}(\\d+)-`);
  for (const name of names) {
    const pid = named.exec(name)?.[1];
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
