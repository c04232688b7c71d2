import { readPlan, readResults } from "./plan.ts";
import { replay } from "./replay.ts";

/**
 * `npm run vectors -- PLAN.json RESULTS.jsonl [--rules] [--paths] [--conntrack] [--seed N]`: replays a plan (either file may be
 * gzipped) and prints a line for every difference in verdict, receiver, addresses, TTL, answers and errors; with the
 * flags also the differences in rules, paths and connections. Exit code 1 when a flow differs.
 */
function main(args: readonly string[]): number {
  const flag = (name: string): boolean => args.includes(name);
  const seedAt = args.indexOf("--seed");
  const files = args.filter((arg, i) => !arg.startsWith("--") && (seedAt < 0 || i !== seedAt + 1));
  const [planFile, resultsFile] = files;
  if (planFile === undefined || resultsFile === undefined) {
    process.stderr.write(
      "usage: npm run vectors -- PLAN.json RESULTS.jsonl [--rules] [--paths] [--conntrack] [--seed N]\n",
    );
    return 2;
  }
  const seed = seedAt < 0 ? 1 : Number(args[seedAt + 1]);
  const { flows } = replay(readPlan(planFile), readResults(resultsFile), seed);
  const lines: string[] = [];
  for (const { id, flow, rules, path, conntrack } of flows) {
    for (const d of flow) lines.push(`${id} ${d.field}: kernel ${d.kernel} podpath ${d.podpath}`);
    for (const [name, d] of [
      ["--rules", rules],
      ["--paths", path],
      ["--conntrack", conntrack],
    ] as const)
      if (d !== null && flag(name))
        lines.push(`${id} ${d.field}:\n  kernel:\n${indent(d.kernel)}\n  podpath:\n${indent(d.podpath)}`);
  }
  const equal = flows.filter(({ flow }) => flow.length === 0).length;
  const rules = flows.filter((one) => one.rules === null).length;
  const paths = flows.filter((one) => one.path === null).length;
  const conntrack = flows.filter((one) => one.conntrack === null).length;
  const of = `of ${flows.length}`;
  if (flag("--conntrack")) lines.push(`conntrack: ${conntrack} ${of}`);
  lines.push(`${equal} ${of} flows equal (rules: ${rules} ${of}, paths: ${paths} ${of})`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return equal === flows.length ? 0 : 1;
}

const indent = (text: string): string => text.replace(/^/gm, "    ");

process.exitCode = main(process.argv.slice(2));
