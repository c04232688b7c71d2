import { loadavg } from "node:os";
import {
  DEFAULT_PLAN,
  DEFAULT_REQUEST,
  generateTopology,
  inWorkers,
  loadTopology,
  reachInWorkers,
  runBenchInWorkers,
} from "./suite/built.ts";
import { machine } from "./suite/result.ts";

/**
 * `npm run bench:workers [-- ROUNDS]`: the same work by one worker and by two, in turns, and the ratio of the least times.
 * First what the machine itself gives two threads that only count: where that is well below 2, somebody else is using it,
 * and the other ratios say little. Exit code 1 when reach is not 1.7 times as fast by two.
 */

const LEAST_RATIO = 1.7;
const NODES = 20;
const PODS = 1000;
const SERVICES = 200;

interface Case {
  readonly name: string;
  run(workers: number): Promise<unknown>;
}

const text = [...generateTopology({ ...DEFAULT_PLAN, nodes: NODES, pods: PODS, services: SERVICES })].join(
  "",
);
const { model } = loadTopology([{ file: "generated.yaml", text }]);

const counting: Case = {
  name: "counting in a loop",
  run: (workers) =>
    inWorkers({
      module: new URL("suite/count.ts", import.meta.url),
      data: null,
      tasks: Array(8).fill(5e8),
      workers,
    }),
};
const reaching: Case = {
  name: `reach, ${NODES} nodes × ${PODS} pods × ${SERVICES} Services`,
  run: (workers) => reachInWorkers(model, { workers }),
};
const benching: Case = {
  name: "bench, its default combinations, counts only",
  run: (workers) => runBenchInWorkers({ ...DEFAULT_REQUEST, speedSeconds: 0 }, workers),
};

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

async function timed(one: Case, workers: number): Promise<number> {
  const begin = performance.now();
  await one.run(workers);
  return performance.now() - begin;
}

/** The least times by one and by two workers. */
async function measure(one: Case, rounds: number): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++)
    for (const workers of [1, 2]) times[workers - 1]!.push(await timed(one, workers));
  const [alone, both] = [Math.min(...times[0]), Math.min(...times[1])];
  const ratio = alone / both;
  process.stdout.write(
    `${one.name}: ${seconds(alone)} by one, ${seconds(both)} by two: ${ratio.toFixed(2)} ×\n`,
  );
  return ratio;
}

const rounds = Number(process.argv[2] ?? 3);
const { cpu, cores, node } = machine();
process.stdout.write(
  `${cpu}, ${cores} cores, Node ${node}, load ${loadavg()[0]!.toFixed(2)}; least of ${rounds}\n`,
);
await measure(counting, rounds);
const ratio = await measure(reaching, rounds);
await measure(benching, rounds);
if (ratio < LEAST_RATIO) {
  process.stderr.write(`reach by two workers is below ${LEAST_RATIO} × one\n`);
  process.exitCode = 1;
}
