import { execFileSync } from "node:child_process";
import { arch, cpus, platform, release, totalmem } from "node:os";

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
  /** Half the width of the 95 % confidence interval, in hundredths of the mean. */
  readonly marginPercent: number;
  readonly samples: number;
}

/** What stands in a file of bench/results. */
export interface SuiteResult {
  readonly at: string;
  readonly machine: Machine;
  readonly cases: readonly CaseResult[];
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
