import { release } from "node:os";
import Table from "cli-table3";
import { spread } from "../src/analysis/bench/statistics.ts";
import { missingRequirements } from "../src/lab/requirements.ts";
import { formatIpv4 } from "../src/packet/address.ts";
import {
  CLIENT,
  combination,
  FIRST_PORT,
  FLOW_CASES,
  type FlowCase,
  lastService,
  NODE,
  PORTS,
  SERVER,
  SERVICE_PORT,
} from "./kernel/cases.ts";
import { BATCH, KernelCluster, labName, PAYLOAD, sweepStale } from "./kernel/namespaces.ts";
import type { SimulateAnswer, SimulateRequest } from "./simulate-flow.ts";
import { benchCluster, labPlan } from "./suite/built.ts";
import { Process } from "./suite/process.ts";
import { machine, targetText, writeResult } from "./suite/result.ts";

/**
 * `npm run bench:kernel` (Linux, root): the same packets through the real kernel and through the simulated one, in turns,
 * on the same node: pod, ClusterIP, pod, with kube-proxy's rules as podpath exports them. Everything real happens in
 * network namespaces made for it, which go when this process ends.
 */

const ROUNDS = 5;
const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 1);
const WARM_UP_SECONDS = 2;
/** Of the benchmark's servers. */
const TARGET_PORT = 8080;

interface Sides {
  readonly kernel: KernelCluster;
  /** Of the Service. */
  readonly destination: number;
  readonly mostFlows: number;
}

/** The same cluster for both worlds; the simulated one is built once more in each flow's process. */
async function build(services: number): Promise<Sides> {
  const bench = benchCluster(combination(services));
  const plan = labPlan(bench.cluster, labName(String(services)), "nft");
  const rules = plan.namespaces.find(({ name }) => name === NODE)?.rules ?? "";
  const last = lastService(rules, bench.addresses.map(formatIpv4));
  const kernel = await KernelCluster.build(plan, TARGET_PORT);
  // half: what is forgotten is freed a little later
  const mostFlows = Math.min(PORTS, Math.floor((await kernel.mostConnections(NODE)) / 2));
  return { kernel, destination: bench.addresses[last]!, mostFlows };
}

/** Packets a second, sent and received, of one round in the kernel. */
async function kernelRound({ kind }: FlowCase, { kernel, destination, mostFlows }: Sides) {
  await kernel.forget(NODE);
  const { sent, received, seconds } = await kernel.flood(CLIENT, SERVER, {
    kind,
    destination: formatIpv4(destination),
    port: SERVICE_PORT,
    firstPort: FIRST_PORT,
    packets: kind === "new" ? mostFlows : 100_000_000,
    seconds: SECONDS,
  });
  return { rate: sent / seconds, arrived: received / sent };
}

interface CaseRates {
  readonly kind: FlowCase["kind"];
  readonly services: number;
  readonly kernelPerSecond: number[];
  readonly podpathPerSecond: number[];
  /** Of the kernel's packets; the simulator's all arrive, or this run fails. */
  readonly kernelArrived: number[];
  /** Median of the rounds' ratios. */
  ratio: number;
  /** Of both sides' best rounds: what it is when nobody else uses the machine. */
  bestRatio: number;
  readonly target: FlowCase["target"];
  hottest: readonly string[];
}

const median = (values: readonly number[]): number => spread(values).p50;

/** One flow through both worlds: what is measured of it, and the process that simulates it. */
interface Contest {
  readonly one: FlowCase;
  readonly side: Sides;
  readonly simulator: Process<SimulateRequest, SimulateAnswer>;
  readonly rates: CaseRates;
}

function contest(one: FlowCase, side: Sides): Contest {
  const { kind, services, target } = one;
  return {
    one,
    side,
    simulator: new Process("simulate-flow.ts", `${kind} flow, ${services} Services`),
    rates: {
      kind,
      services,
      kernelPerSecond: [],
      podpathPerSecond: [],
      kernelArrived: [],
      ratio: 0,
      bestRatio: 0,
      target,
      hottest: [],
    },
  };
}

const ask = (
  { one: { kind, services }, side: { destination }, simulator }: Contest,
  seconds: number,
  profiled = false,
) => simulator.ask({ kind, services, destination, seconds, payload: PAYLOAD, profiled });

async function measure(sides: ReadonlyMap<number, Sides>): Promise<CaseRates[]> {
  const contests = FLOW_CASES.map((one) => contest(one, sides.get(one.services)!));
  try {
    for (const each of contests) await ask(each, WARM_UP_SECONDS);
    for (let round = 0; round < ROUNDS; round++)
      for (const each of contests) {
        const { rate, arrived } = await kernelRound(each.one, each.side);
        each.rates.kernelPerSecond.push(rate);
        each.rates.kernelArrived.push(arrived);
        each.rates.podpathPerSecond.push((await ask(each, SECONDS)).perSecond);
      }
    for (const each of contests) {
      const { rates } = each;
      const { kernelPerSecond, podpathPerSecond } = rates;
      rates.ratio = median(podpathPerSecond.map((rate, i) => rate / kernelPerSecond[i]!));
      rates.bestRatio = Math.max(...podpathPerSecond) / Math.max(...kernelPerSecond);
      rates.hottest = (await ask(each, SECONDS, true)).hottest;
    }
  } finally {
    for (const { simulator } of contests) simulator.stop();
  }
  return contests.map(({ rates }) => rates);
}

const thousands = (value: number): string => Math.round(value).toLocaleString("en");

function report(cases: readonly CaseRates[]): string {
  const table = new Table({
    head: [
      "flow",
      "Services",
      "kernel: packets/s",
      "ns each",
      "podpath: packets/s",
      "ns each",
      "ratio",
      "of best rounds",
      "wanted",
    ],
    colAligns: ["left", "right", "right", "right", "right", "right", "right", "right", "left"],
    style: { head: [], border: [], compact: true },
  });
  const times = (ratio: number): string => ratio.toFixed(ratio < 10 ? 2 : 1);
  for (const { kind, services, kernelPerSecond, podpathPerSecond, ratio, bestRatio, target } of cases) {
    const [kernel, podpath] = [median(kernelPerSecond), median(podpathPerSecond)];
    table.push([
      kind,
      thousands(services),
      thousands(kernel),
      thousands(1e9 / kernel),
      thousands(podpath),
      thousands(1e9 / podpath),
      times(ratio),
      times(bestRatio),
      targetText(ratio, target),
    ]);
  }
  const profiles = cases.map(
    ({ kind, services, hottest }) =>
      `podpath, ${kind}, ${thousands(services)} Services: most time in\n${hottest.map((line) => `  ${line}\n`).join("")}`,
  );
  return `${table.toString()}\n${profiles.join("")}`;
}

async function main(): Promise<void> {
  const missing = missingRequirements("nft");
  if (missing.length > 0) {
    process.stderr.write(`bench:kernel needs ${missing.join(", ")}\n`);
    process.exitCode = 2;
    return;
  }
  sweepStale();
  const sides = new Map<number, Sides>();
  try {
    for (const services of new Set(FLOW_CASES.map((one) => one.services)))
      sides.set(services, await build(services));
    const cases = await measure(sides);
    const facts = machine();
    process.stdout.write(
      `pod → ClusterIP, the last of KUBE-SERVICES → pod on the same node; UDP, ${PAYLOAD} bytes, sendmmsg of ${BATCH}
Linux ${release()}, iptables-nft; ${facts.cpu}, one core each; Node ${facts.node}; medians of ${ROUNDS} rounds, in turns
${report(cases)}`,
    );
    process.stdout.write(
      `${writeResult("kernel-", { at: new Date().toISOString(), machine: facts, cases })}\n`,
    );
  } finally {
    for (const { kernel } of sides.values()) await kernel.close();
  }
}

await main();
