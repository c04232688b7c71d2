import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { machine } from "./suite/result.ts";

/**
 * `npm run bench:workers [-- ROUNDS]`: the same commands of the build with `--workers 1` and `--workers 2`, in turns, whole
 * processes; the least time of each and the ratio. First what the machine itself gives two threads that only count: where
 * that is well below 2, somebody else is using it, and the other ratios say little. Exit code 1 when the outputs differ, or
 * reach is not 1.7 times as fast.
 */

const LEAST_RATIO = 1.7;
const SIZE = ["--nodes", "20", "--pods", "1000", "--services", "200"];
const STEPS = 4e9;
const OUTPUT_BYTES = 1 << 30;

interface Case {
  readonly name: string;
  /** Its output. */
  run(workers: number): Promise<string> | string;
}

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

function podpath(...args: readonly string[]): string {
  const options = { encoding: "utf8", maxBuffer: OUTPUT_BYTES } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  if (status !== 0) throw new Error(`podpath ${args.join(" ")}: exit code ${status}: ${stderr}`);
  return stdout;
}

/** Threads that count, together as many steps however many they are. */
async function count(workers: number): Promise<string> {
  const code = `let x = 1; for (let i = 0; i < ${STEPS / workers}; i++) x = (x * 1664525 + 1013904223) | 0;`;
  const threads = Array.from({ length: workers }, () => new Worker(code, { eval: true, execArgv: [] }));
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once("exit", resolve))));
  return "";
}

/** Runs a case by one and by two workers in turns, prints the least times, and gives their ratio. */
async function measure({ name, run }: Case, rounds: number): Promise<number> {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const outputs = new Set<string>();
  for (let round = 0; round < rounds; round++)
    for (const workers of [1, 2]) {
      const begin = performance.now();
      outputs.add(await run(workers));
      least[workers - 1] = Math.min(least[workers - 1]!, (performance.now() - begin) / 1000);
    }
  if (outputs.size > 1) throw new Error(`${name}: the outputs differ`);
  const [one, two] = least as [number, number];
  process.stdout.write(
    `${name}: ${one.toFixed(1)} s by one worker, ${two.toFixed(1)} s by two: ${(one / two).toFixed(2)} ×\n`,
  );
  return one / two;
}

async function measureAll(rounds: number, topology: string): Promise<void> {
  writeFileSync(topology, podpath("generate", ...SIZE));
  const { cpu, cores, node } = machine();
  process.stdout.write(
    `${cpu}, ${cores} cores, Node ${node}, load ${loadavg()[0]!.toFixed(2)}; least of ${rounds}\n`,
  );
  const options = (workers: number): string[] => ["--workers", String(workers), "-o", "json"];
  await measure({ name: "counting in a loop", run: count }, rounds);
  const ratio = await measure(
    {
      name: `reach, ${SIZE.join(" ")}`,
      run: (workers) => podpath("reach", "-f", topology, ...options(workers)),
    },
    rounds,
  );
  await measure(
    { name: "bench --no-speed", run: (workers) => podpath("bench", "--no-speed", ...options(workers)) },
    rounds,
  );
  if (ratio < LEAST_RATIO) throw new Error(`reach by two workers is below ${LEAST_RATIO} × one`);
}

const folder = mkdtempSync(join(tmpdir(), "podpath-workers-"));
try {
  await measureAll(Number(process.argv[2] ?? 3), join(folder, "generated.yaml"));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
