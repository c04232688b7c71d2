import fc, { type IRawProperty, type RunDetails } from "fast-check";
import { defaultWorkers, inWorkers, moduleBeside } from "../analysis/workers/pool.ts";
import type { CheckJob, Stretch, StretchResult } from "./worker.ts";

/** Where workers find a property: properties are closures, which no thread can hand to another. */
export interface PropertyPlace {
  /** `new URL("./my.properties.js", import.meta.url)` */
  readonly module: URL;
  /** The name under which it exports the property. */
  readonly name: string;
}

export interface CheckOptions {
  /** fast-check's own when left out (100). */
  readonly numRuns?: number;
  /** At random when left out. */
  readonly seed?: number;
  /** Threads: as many as cores when left out, and only for what takes longer than two seconds; 1 is this one. */
  readonly workers?: number;
  /** Options of node for the workers in the stead of this process's: `["--import", "./register.js"]` for a loader. */
  readonly execArgv?: readonly string[];
}

/** So long a check has this thread alone. */
const PATIENCE_MS = 2_000;
const FIRST_STRETCH = 10;
/** Stretches a worker, so that all end about together; each draws its runs' seeds up to its first one anew. */
const STRETCHES = 8;

/**
 * `fc.check` with its runs spread over workers. Every run has the input that it has without workers, so that the outcome
 * is the same: counterexample, path, number of runs and shrinks; shrinking is done here.
 *
 * @throws Error for a property that skips runs (`fc.pre`): which runs there are would depend on all before. Filter its
 * arbitrary instead.
 * @throws WorkerError when a worker ends before its work does.
 */
export async function checkInWorkers<Ts>(
  property: IRawProperty<Ts>,
  place: PropertyPlace,
  options: CheckOptions = {},
): Promise<RunDetails<Ts>> {
  const { numRuns = fc.readConfigureGlobal()?.numRuns ?? 100, seed = randomSeed() } = options;
  if (options.workers === 1) return await fc.check(property, { seed, numRuns });
  const check = { property, seed, numRuns };
  const begun = options.workers === undefined ? await begin(check) : { failedAt: null, done: 0 };
  const failedAt =
    begun.failedAt ?? (begun.done < numRuns ? await spread(check, begun.done, place, options) : null);
  return failedAt === null ? passed(check) : await shrunk(check, failedAt);
}

/**
 * `fc.assert` with its runs spread over workers.
 *
 * @example
 * ```ts
 * // reachable.properties.js
 * export const reachable = fc.property(cluster(), (spec) => everyReadyEndpointReachable(buildCluster(spec)));
 *
 * // a test
 * const module = new URL("./reachable.properties.js", import.meta.url);
 * await assertInWorkers(reachable, { module, name: "reachable" }, { numRuns: 10_000 });
 * ```
 *
 * @throws Error with fast-check's report when a run fails; otherwise as {@link checkInWorkers}.
 */
export async function assertInWorkers<Ts>(
  property: IRawProperty<Ts>,
  place: PropertyPlace,
  options: CheckOptions = {},
): Promise<void> {
  const details = await checkInWorkers(property, place, options);
  if (details.failed)
    throw new Error(await fc.asyncDefaultReportMessage(details), { cause: details.errorInstance });
}

interface Check<Ts> {
  readonly property: IRawProperty<Ts>;
  readonly seed: number;
  readonly numRuns: number;
}

// as fast-check draws it
const randomSeed = (): number => (Date.now() ^ (Math.random() * 0x1_0000_0000)) | 0;

/** Runs here until it takes too long: most checks are done by then. */
async function begin<Ts>({
  property,
  seed,
  numRuns,
}: Check<Ts>): Promise<{ failedAt: number | null; done: number }> {
  const until = performance.now() + PATIENCE_MS;
  let done = 0;
  for (let count = FIRST_STRETCH; done < numRuns && performance.now() < until; count *= 2) {
    const numRunsNow = Math.min(count, numRuns - done);
    const found = await fc.check(property, {
      seed,
      path: String(done),
      numRuns: numRunsNow,
      endOnFailure: true,
    });
    refuseSkips(found.numSkips);
    if (found.counterexamplePath !== null)
      return { failedAt: Number.parseInt(found.counterexamplePath, 10), done };
    done += numRunsNow;
  }
  return { failedAt: null, done };
}

/** Number of the first run from `from` on that fails; null when none does. */
async function spread<Ts>(
  { seed, numRuns }: Check<Ts>,
  from: number,
  { module, name }: PropertyPlace,
  { workers = defaultWorkers(), execArgv }: CheckOptions,
): Promise<number | null> {
  const failed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  failed[0] = numRuns;
  const data: CheckJob = { module: module.href, name, seed, failed };
  await inWorkers<Stretch, StretchResult>({
    module: moduleBeside(import.meta.url, "./worker"),
    data,
    tasks: stretches(from, numRuns, workers * STRETCHES),
    workers,
    ...(execArgv === undefined ? {} : { execArgv }),
    onResult: ({ failedAt, skips }) => {
      refuseSkips(skips);
      if (failedAt !== null) Atomics.store(failed, 0, Math.min(failedAt, Atomics.load(failed, 0)));
    },
  });
  return failed[0] === numRuns ? null : failed[0]!;
}

function stretches(from: number, to: number, most: number): Stretch[] {
  const count = Math.ceil((to - from) / most);
  return Array.from({ length: Math.ceil((to - from) / count) }, (_, i) => {
    const first = from + i * count;
    return { from: first, count: Math.min(count, to - first) };
  });
}

function refuseSkips(skips: number): void {
  if (skips > 0)
    throw new Error(
      "a property that skips runs (fc.pre) cannot be spread over workers: filter its arbitrary",
    );
}

/** What `fc.check` says of a check that passed. */
async function passed<Ts>({ property, seed, numRuns }: Check<Ts>): Promise<RunDetails<Ts>> {
  const details = await fc.check(property, { seed, numRuns: 0 });
  return { ...details, numRuns, runConfiguration: { ...details.runConfiguration, numRuns } };
}

/** What `fc.check` says of a check whose run number `failedAt` is the first that fails. */
async function shrunk<Ts>({ property, seed, numRuns }: Check<Ts>, failedAt: number): Promise<RunDetails<Ts>> {
  const details = await fc.check(property, { seed, path: String(failedAt), numRuns: 1 });
  if (!details.failed)
    throw new Error(
      `run ${failedAt} of seed ${seed} failed before and now passes: it depends on more than its input`,
    );
  const runConfiguration = { ...details.runConfiguration, numRuns };
  delete runConfiguration.path;
  return { ...details, numRuns: failedAt + details.numRuns, runConfiguration };
}
