import Table from "cli-table3";
import { groups } from "./suite/groups.ts";
import { measureGroup } from "./suite/measure.ts";
import { type CaseResult, type Figure, machine, targetText, writeResult } from "./suite/result.ts";

/**
 * `npm run bench [-- WORD…]`: runs the cases whose names hold one of the words (all without), prints them and what they
 * come to held against each other, and writes bench/results/TIME.json.
 */

const words = process.argv.slice(2);
const isWanted = ({ name }: { name: string }): boolean =>
  words.length === 0 || words.some((word) => name.includes(word));

function caseLine({ name, unit, p50Ns, leastNs, peakMiB }: CaseResult): string {
  const ns = (value: number): string => Math.round(value).toLocaleString("en");
  return `${name}: ${ns(p50Ns)} ns a ${unit} (median; least ${ns(leastNs)}), ${ns(1e9 / p50Ns)}/s, ${peakMiB} MiB`;
}

function figureTable(figures: readonly Figure[]): string {
  const table = new Table({
    head: ["figure", "median", "least", "most", "wanted"],
    colAligns: ["left", "right", "right", "right", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, value, least, most, target } of figures)
    table.push([
      name,
      ...[value, least, most].map((one) => (one < 10 ? one.toFixed(2) : one.toFixed(0))),
      targetText(value, target),
    ]);
  return table.toString();
}

const cases: CaseResult[] = [];
const figures: Figure[] = [];
for (const group of groups) {
  const result = await measureGroup(group, isWanted);
  for (const failure of result.failed) process.stderr.write(`${failure}\n`);
  if (result.failed.length > 0) process.exitCode = 1;
  for (const one of result.cases) process.stdout.write(`${caseLine(one)}\n`);
  cases.push(...result.cases);
  figures.push(...result.figures);
}
const suite = { at: new Date().toISOString(), machine: machine(), cases, figures };
if (figures.length > 0) process.stdout.write(`${figureTable(figures)}\n`);
process.stdout.write(`${writeResult("", suite)}\n`);
