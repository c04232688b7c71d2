import { mkdirSync, writeFileSync } from "node:fs";
import { Bench } from "tinybench";
import type { Case } from "./suite/case.ts";
import { flowCases } from "./suite/flows.ts";
import { type CaseResult, machine, type SuiteResult } from "./suite/result.ts";
import { topologyCases } from "./suite/topologies.ts";
import { walkCases } from "./suite/walks.ts";

/**
 * `npm run bench [-- WORD…]`: runs the cases whose names hold one of the words (all without), prints them and writes
 * bench/results/TIME.json. Cases run one after the other in one process, each on a cluster of its own.
 */

const SAMPLE_TIME_MS = 1000;

async function measure(one: Case): Promise<CaseResult> {
  const { operations, run, before, samples } = one.prepare();
  const isLong = samples < 10;
  const bench = new Bench({
    time: isLong ? 0 : SAMPLE_TIME_MS,
    iterations: samples,
    warmup: !isLong,
    warmupTime: SAMPLE_TIME_MS,
    warmupIterations: isLong ? 0 : Math.min(samples, 20),
  });
  bench.add(one.name, run, before === undefined ? {} : { beforeEach: before });
  await bench.run();
  const [task] = bench.tasks;
  const result = task?.result;
  if (result === undefined || !("latency" in result))
    throw new Error(`${one.name}: ${JSON.stringify(result)}`);
  const { latency } = result;
  const ns = (milliseconds: number): number => (milliseconds * 1e6) / operations;
  return {
    name: one.name,
    unit: one.unit,
    meanNs: ns(latency.mean),
    p50Ns: ns(latency.p50 ?? latency.mean),
    p99Ns: ns(latency.p99 ?? latency.max),
    marginPercent: Number.isFinite(latency.rme) ? latency.rme : 0,
    samples: latency.samplesCount,
  };
}

const words = process.argv.slice(2);
const cases = [...walkCases, ...flowCases, ...topologyCases].filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);
const results: CaseResult[] = [];
for (const one of cases) {
  const result = await measure(one);
  results.push(result);
  const rate = Math.round(1e9 / result.p50Ns).toLocaleString("en");
  const line = `${one.name}: ${Math.round(result.p50Ns).toLocaleString("en")} ns a ${one.unit} (median), ${rate}/s`;
  process.stdout.write(`${line}\n`);
}
const suite: SuiteResult = { at: new Date().toISOString(), machine: machine(), cases: results };
const folder = new URL("results/", import.meta.url);
mkdirSync(folder, { recursive: true });
const file = new URL(`${suite.at.replaceAll(":", "-")}.json`, folder);
writeFileSync(file, `${JSON.stringify(suite, null, 2)}\n`);
process.stdout.write(`bench/results/${file.pathname.split("/").at(-1)}\n`);
