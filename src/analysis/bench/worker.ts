/** What a worker does for `runBenchInWorkers`: one combination after another. */
import { workerData } from "piscina";
import { type BenchRequest, type BenchRow, measure } from "./bench.ts";
import type { Combination } from "./cluster.ts";
import { Turns } from "./turns.ts";

/** What a worker is given. */
export interface BenchJob {
  readonly request: BenchRequest;
  /** Of {@link Turns}. */
  readonly memory: SharedArrayBuffer;
}

const { request, memory } = workerData as BenchJob;
const turns = new Turns(memory);

/** Figures of one combination. */
export default (combination: Combination): BenchRow => measure(combination, request, turns);
