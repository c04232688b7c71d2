import { inWorkers, moduleBeside } from "../workers/pool.ts";
import { type BenchRequest, type BenchRow, combinationsOf } from "./bench.ts";
import type { Combination } from "./cluster.ts";
import { Turns } from "./turns.ts";
import type { BenchJob } from "./worker.ts";

/** Endpoints, over all combinations, below which the counts are there about as soon as workers would be. */
const FEW_ENDPOINTS = 5_000;

/** How long a mode takes, beside ipvs: as many rules again. */
const WEIGHTS = { iptables: 1.5, nftables: 1.5, ipvs: 1 } as const;

const endpointsOf = ({ services, endpoints }: Combination): number => services * endpoints;

const weightOf = (one: Combination): number => endpointsOf(one) * WEIGHTS[one.mode];

/** Is there enough to do for workers to pay? */
export const isWorthWorkers = (request: BenchRequest): boolean =>
  combinationsOf(request).reduce((sum, one) => sum + endpointsOf(one), 0) >= FEW_ENDPOINTS;

/**
 * The rows of `runBench`, combinations spread over workers. The simulator's own speed is measured one combination at a
 * time while all other workers wait, so that it is what one core does.
 *
 * @throws WorkerError when a worker ends before its work does.
 */
export async function runBenchInWorkers(
  request: BenchRequest,
  workers: number,
  done: () => void = () => {},
): Promise<BenchRow[]> {
  const job: BenchJob = { request, memory: Turns.memory() };
  // what takes longest first, so that workers end together
  const order = combinationsOf(request)
    .map((combination, index) => ({ combination, index }))
    .sort((a, b) => weightOf(b.combination) - weightOf(a.combination));
  const rows = await inWorkers<Combination, BenchRow>({
    module: moduleBeside(import.meta.url, "./worker"),
    data: job,
    tasks: order.map(({ combination }) => combination),
    workers,
    onResult: done,
  });
  const sorted: BenchRow[] = [];
  for (const [i, { index }] of order.entries()) sorted[index] = rows[i]!;
  return sorted;
}
