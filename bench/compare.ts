import { readFileSync } from "node:fs";
import Table from "cli-table3";
import type { SuiteResult } from "./suite/result.ts";

/** `npm run bench:compare A.json B.json`: B's median time by A's, case by case; below 1 B is faster. Exit code 2 for bad input. */

function read(path: string): SuiteResult {
  const suite = JSON.parse(readFileSync(path, "utf8")) as Partial<SuiteResult>;
  if (!Array.isArray(suite.cases) || suite.machine === undefined)
    throw new Error(`${path} is no result of npm run bench`);
  return suite as SuiteResult;
}

function compare(pathA: string, pathB: string): string {
  const a = read(pathA);
  const b = read(pathB);
  const table = new Table({
    head: ["case", "A ns", "B ns", "B / A"],
    style: { head: [], border: [], compact: true },
  });
  const ns = (value: number): string => Math.round(value).toLocaleString("en");
  for (const { name, p50Ns, marginPercent } of b.cases) {
    const before = a.cases.find((one) => one.name === name);
    if (before === undefined) continue;
    // two margins that overlap tell nothing apart
    const noise = (before.marginPercent + marginPercent) / 100;
    const ratio = p50Ns / before.p50Ns;
    const isNoise = Math.abs(ratio - 1) <= noise;
    table.push([name, ns(before.p50Ns), ns(p50Ns), `${ratio.toFixed(2)}${isNoise ? " (noise)" : ""}`]);
  }
  const of = ({ machine, at }: SuiteResult): string =>
    `${at}, ${machine.commit ?? "no commit"}, ${machine.cpu}, Node ${machine.node}`;
  return `${table.toString()}\nA: ${of(a)}\nB: ${of(b)}\n`;
}

const [pathA, pathB, ...rest] = process.argv.slice(2);
if (pathA === undefined || pathB === undefined || rest.length > 0) {
  process.stderr.write("usage: npm run bench:compare A.json B.json\n");
  process.exitCode = 2;
} else {
  try {
    process.stdout.write(compare(pathA, pathB));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}
