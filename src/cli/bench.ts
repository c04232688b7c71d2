import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  type BenchRequest,
  type BenchRow,
  combinationsOf,
  DEFAULT_REQUEST,
  runBench,
} from "../analysis/bench/bench.ts";
import {
  type CostModel,
  costModelSchema,
  DEFAULT_COSTS,
  LEGACY_IPTABLES_RULE_NS,
  MODES,
} from "../analysis/bench/cost-model.ts";
import { isWorthWorkers, runBenchInWorkers } from "../analysis/bench/in-workers.ts";
import { benchCsv, benchJson, benchTable } from "../analysis/bench/text.ts";
import { defaultWorkers } from "../analysis/workers/pool.ts";
import { IPVS_SCHEDULERS, type ProxyMode } from "../cluster/objects/kube-proxy-configuration.ts";
import { formatPath, validate } from "../cluster/objects/validate.ts";
import { RequestError } from "../trace/request.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { wholeNumber, workersOption } from "./options.ts";
import { Progress } from "./progress.ts";

interface BenchOptions extends Omit<BenchRequest, "costs" | "speedSeconds"> {
  readonly cost?: string;
  readonly speed: boolean;
  readonly workers?: number;
  readonly output: "table" | "json" | "csv" | "svg";
}

const EXAMPLES = `
Examples:
  podpath bench --services 10,1000 --endpoints 1 --modes iptables,nftables
  podpath bench -o svg > service-routing.svg
  podpath bench --cost costs.json -o json --no-speed

A cost file is JSON: {"iptablesRuleNs": 7, "nftablesRuleNs": 17, "lookupNs": 60, "conntrackInsertNs": 2000, "packetNs": 6000};
what it leaves out is as measured on one machine (see the table's last line). ${LEGACY_IPTABLES_RULE_NS} ns a rule is iptables-legacy's.`;

/** More would need subnets larger than a bridge's. */
const MOST_ENDPOINTS = 1000;
const MOST_SERVICES = 100_000;

const numbers =
  (least: number, most: number) =>
  (text: string): number[] =>
    text.split(",").map(wholeNumber(least, most));

function modes(text: string): ProxyMode[] {
  return text.split(",").map((word) => {
    const mode = MODES.find((one) => one === word);
    if (mode === undefined) throw new InvalidArgumentError(`"${word}" is none of ${MODES.join(", ")}.`);
    return mode;
  });
}

/** `podpath bench`: what service routing costs as Services and endpoints grow. */
export function benchCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const from = DEFAULT_REQUEST;
  return new Command("bench")
    .description("the cost of service routing as Services and endpoints grow, by mode of kube-proxy")
    .option("--services <numbers>", "how many Services, separated by commas", numbers(1, MOST_SERVICES), [
      ...from.services,
    ])
    .option("--endpoints <numbers>", "endpoints of each", numbers(1, MOST_ENDPOINTS), [...from.endpoints])
    .option("--modes <modes>", "of iptables, ipvs, nftables", modes, [...from.modes])
    .addOption(new Option("--scheduler <name>", "of ipvs").choices(IPVS_SCHEDULERS).default(from.scheduler))
    .addOption(
      new Option("--placement <where>", "of the endpoints, seen from the client")
        .choices(["same-node", "other-node"])
        .default(from.placement),
    )
    .option("--cost <file>", "cost model: JSON, nanoseconds of a rule, a look-up, a connection, a packet")
    .option("--no-speed", "leave the simulator's own speed out, so that equal seeds give equal output")
    .option("--seed <number>", "seed of everything random", wholeNumber(0, 2 ** 32 - 1), from.seed)
    .addOption(workersOption())
    .addOption(new Option("-o, --output <format>").choices(["table", "json", "csv", "svg"]).default("table"))
    .addHelpText("after", EXAMPLES)
    .action(async ({ cost, speed, output, workers, ...options }: BenchOptions) => {
      const request: BenchRequest = {
        ...options,
        costs: cost === undefined ? DEFAULT_COSTS : readCosts(cost),
        speedSeconds: speed ? from.speedSeconds : 0,
      };
      const rows = await measured(request, workers, console);
      switch (output) {
        case "table":
          console.out(benchTable(rows, request));
          break;
        case "json":
          console.out(benchJson(rows, request));
          break;
        case "csv":
          console.out(benchCsv(rows));
          break;
        case "svg": {
          // a large library, and only charts need it
          const { benchChart } = await import("../analysis/bench/chart.ts");
          console.out(await benchChart(rows, request));
        }
      }
      finish(EXIT.ok);
    });
}

async function measured(
  request: BenchRequest,
  asked: number | undefined,
  console: Console,
): Promise<readonly BenchRow[]> {
  const workers = asked ?? (isWorthWorkers(request) ? defaultWorkers() : 1);
  const progress = new Progress(console, "bench", combinationsOf(request).length);
  const done = (): void => progress.step();
  const rows = workers === 1 ? runBench(request, done) : await runBenchInWorkers(request, workers, done);
  progress.finish();
  return rows;
}

function readCosts(path: string): CostModel {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new RequestError(`${path}: ${(error as Error).message}`);
  }
  const [fault] = validate(costModelSchema, given);
  if (fault !== undefined) throw new RequestError(`${path}: ${formatPath(fault.path)}: ${fault.text}`);
  // the schema has just said that it is a partial cost model
  return { ...DEFAULT_COSTS, source: path, ...(given as Partial<CostModel>) };
}
