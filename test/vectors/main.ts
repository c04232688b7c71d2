import { readPlan, readResults } from "./plan.ts";
import { replay } from "./replay.ts";

/**
 * `npm run vectors -- PLAN.json RESULTS.jsonl [--rules] [--paths] [--conntrack] [--seed N]`: replays a plan (either file may be
 * gzipped) and prints one line for every flow that differs in verdict, receiver, addresses, TTL, answers or errors; with the
 * flags also the differences in rules, paths and connections. Exit code 1 when a flow differs, 2 when a file cannot be read.
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
  const plan = read(planFile, readPlan);
  const results = read(resultsFile, readResults);
  if (plan === null || results === null) return 2;
  const { flows } = replay(plan, results, seed);
  const lines: string[] = [];
  for (const { id, flow, rules, path, conntrack } of flows) {
    if (flow.length > 0)
      lines.push(
        `${id} ${flow.map((d) => `${d.field}: kernel ${d.kernel} podpath ${d.podpath}`).join("; ")}`,
      );
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

/** What a file says, or null once its fault has been told. */
function read<T>(file: string, parse: (file: string) => T): T | null {
  try {
    return parse(file);
  } catch (error) {
    process.stderr.write(`${file}: ${(error as Error).message}\n`);
    return null;
  }
}

const indent = (text: string): string => text.replace(/^/gm, "    ");

process.exitCode = main(process.argv.slice(2));
