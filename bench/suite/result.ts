import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import type { Target } from "./case.ts";

/** Where and of what a run was. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  /** Null outside a checkout; ends in `+` where files differed from it. */
  readonly commit: string | null;
}

/** One case's figure: nanoseconds of one operation. */
export interface CaseResult {
  readonly name: string;
  readonly unit: string;
  readonly meanNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  /** The fastest sample: what the machine can do when nobody disturbs. */
  readonly leastNs: number;
  /** Half the width of the 95 % confidence interval, in hundredths of the mean. */
  readonly marginPercent: number;
  readonly samples: number;
  /** The most memory that the case's process held. */
  readonly peakMiB: number;
}

/** What two cases come to together. */
export interface Figure {
  readonly name: string;
  /** Median over rounds. */
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly target: Target | null;
}

/** What stands in a file of bench/results. */
export interface SuiteResult {
  readonly at: string;
  readonly machine: Machine;
  readonly cases: readonly CaseResult[];
  readonly figures: readonly Figure[];
}

/** Was it reached? */
const isReached = (value: number, target: Target): boolean =>
  "atMost" in target ? value <= target.atMost : value >= target.atLeast;

/** `≤ 1.3: reached` */
export function targetText(value: number, target: Target | null): string {
  if (target === null) return "";
  const wanted = "atMost" in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
  return `${wanted}: ${isReached(value, target) ? "reached" : "missed"}`;
}

/** Writes bench/results/PREFIXTIME.json, and gives the name to show. */
export function writeResult<T extends { readonly at: string }>(prefix: string, result: T): string {
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = `${prefix}${result.at.replaceAll(":", "-")}.json`;
  writeFileSync(new URL(file, folder), `${JSON.stringify(result, null, 2)}\n`);
  return `bench/results/${file}`;
}

function git(...args: readonly string[]): string | null {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

export function machine(): Machine {
  const commit = git("rev-parse", "--short=12", "HEAD");
  const isChanged = git("status", "--porcelain", "--untracked-files=no") !== "";
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    commit: commit === null ? null : `${commit}${isChanged ? "+" : ""}`,
  };
}
