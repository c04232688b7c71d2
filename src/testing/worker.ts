/** What a worker does for `checkInWorkers`: it finds the property in its module, and runs one stretch after another. */
import fc, { type IRawProperty } from "fast-check";
import { workerData } from "piscina";

/** What a worker is given. */
export interface CheckJob {
  readonly module: string;
  readonly name: string;
  readonly seed: number;
  /** Number of the first run that is known to have failed: later ones need not be done. */
  readonly failed: Int32Array;
}

/** Runs `from` to `from + count - 1` of a whole check. */
export interface Stretch {
  readonly from: number;
  readonly count: number;
}

/** What it gives of one stretch. */
export interface StretchResult {
  /** Number of the first run that failed; null when none did. */
  readonly failedAt: number | null;
  readonly skips: number;
}

const { module, name, seed, failed } = workerData as CheckJob;
const property = ((await import(module)) as Record<string, IRawProperty<unknown> | undefined>)[name];
if (typeof property?.run !== "function") throw new TypeError(`${module} exports no property ${name}`);

/** Shrinking is left to who asks. */
export default async function run({ from, count }: Stretch): Promise<StretchResult> {
  if (Atomics.load(failed, 0) < from) return { failedAt: null, skips: 0 };
  const { counterexamplePath, numSkips } = await fc.check(property!, {
    seed,
    // a path without a second part is where to begin
    path: String(from),
    numRuns: count,
    endOnFailure: true,
  });
  return {
    failedAt: counterexamplePath === null ? null : Number.parseInt(counterexamplePath, 10),
    skips: numSkips,
  };
}
