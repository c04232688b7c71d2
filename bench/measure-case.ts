import { Bench } from "tinybench";
import type { Prepared } from "./suite/case.ts";
import { allCases } from "./suite/groups.ts";
import type { CaseAnswer, CaseRequest } from "./suite/measure.ts";
import { answerRequests } from "./suite/process.ts";

/**
 * The process of one case, forked by `npm run bench`: makes ready, then measures a round whenever it is asked. A process
 * each, so that no case pays for another's memory or for code that another has bent to its own shapes.
 */

const WARM_UP_MS = 1000;

let prepared: Prepared | undefined;

/** Nanoseconds of one operation, a figure a sample. */
async function measure(one: Prepared, name: string, { timeMs, rounds, first }: RoundRequest) {
  const { operations, run, before, samples } = one;
  const isLong = samples < 10;
  const bench = new Bench({
    retainSamples: true,
    time: isLong ? 0 : timeMs,
    iterations: Math.ceil(samples / rounds),
    warmup: first && !isLong,
    warmupTime: WARM_UP_MS,
    warmupIterations: Math.min(samples, 20),
  });
  // told that it is synchronous, tinybench does not run it once to find out: a first trace is only once the first
  bench.add(name, run, { async: false, ...(before === undefined ? {} : { beforeEach: before }) });
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result === undefined || !("latency" in result)) {
    const cause = result !== undefined && "error" in result ? result.error : undefined;
    throw new Error(`${name} was not measured`, { cause });
  }
  return result.latency.samples!.map((ms) => (ms * 1e6) / operations);
}

type RoundRequest = Extract<CaseRequest, { do: "round" }>;

async function answer(request: CaseRequest): Promise<CaseAnswer> {
  const one = allCases.find(({ name }) => name === request.name);
  if (one === undefined) throw new Error(`there is no case ${request.name}`);
  prepared ??= one.prepare();
  const samplesNs = request.do === "round" ? await measure(prepared, one.name, request) : [];
  return { samplesNs, peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) };
}

answerRequests(answer);
