import { release } from "node:os";
import Table from "cli-table3";
import { spread } from "../src/analysis/bench/statistics.ts";
import { missingRequirements } from "../src/lab/requirements.ts";
import { formatIpv4 } from "../src/packet/address.ts";
import {
  CLIENT,
  FIRST_PORT,
  FLOW_CASES,
  type FlowCase,
  lastService,
  NODE,
  PORTS,
  SERVER,
  SimulatedFlow,
} from "./kernel/cases.ts";
import { BATCH, KernelCluster, labName, PAYLOAD, sweepStale } from "./kernel/namespaces.ts";
import { benchCluster, labPlan } from "./suite/built.ts";
import { hottest } from "./suite/profile.ts";
import { machine, targetText, writeResult } from "./suite/result.ts";

/**
 * `npm run bench:kernel` (Linux, root): the same packets through the real kernel and through the simulated one, in turns,
 * on the same node: pod, ClusterIP, pod, with kube-proxy's rules as podpath exports them. Everything real happens in
 * network namespaces made for it, which go when this process ends.
 */

const ROUNDS = 5;
const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 1);
const WARM_UP_SECONDS = 2;
const PROFILED_FUNCTIONS = 10;
/** Shared by all: ports of the benchmark's Services and servers. */
const SERVICE_PORT = 80;
const TARGET_PORT = 8080;

interface Sides {
  readonly bench: ReturnType<typeof benchCluster>;
  readonly kernel: KernelCluster;
  readonly destination: number;
  readonly mostFlows: number;
}

/** The same cluster in both worlds. */
async function build(services: number): Promise<Sides> {
  const bench = benchCluster({
    services,
    endpoints: 1,
    mode: "iptables",
    scheduler: "rr",
    placement: "same-node",
    seed: 1,
  });
  const plan = labPlan(bench.cluster, labName(String(services)), "nft");
  const rules = plan.namespaces.find(({ name }) => name === NODE)?.rules ?? "";
  const last = lastService(rules, bench.addresses.map(formatIpv4));
  const kernel = await KernelCluster.build(plan, TARGET_PORT);
  // half: what is forgotten is freed a little later
  const mostFlows = Math.min(PORTS, Math.floor((await kernel.mostConnections(NODE)) / 2));
  return { bench, kernel, destination: bench.addresses[last]!, mostFlows };
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

async function measure(sides: ReadonlyMap<number, Sides>): Promise<CaseRates[]> {
  const cases = FLOW_CASES.map((one) => {
    const side = sides.get(one.services)!;
    const flow = new SimulatedFlow(side.bench, one.kind, side.destination, SERVICE_PORT);
    flow.rate(WARM_UP_SECONDS, PAYLOAD);
    const rates: CaseRates = {
      ...one,
      kernelPerSecond: [],
      podpathPerSecond: [],
      kernelArrived: [],
      ratio: 0,
      bestRatio: 0,
      hottest: [],
    };
    return { one, side, flow, rates };
  });
  for (let round = 0; round < ROUNDS; round++)
    for (const { one, side, flow, rates } of cases) {
      const { rate, arrived } = await kernelRound(one, side);
      rates.kernelPerSecond.push(rate);
      rates.kernelArrived.push(arrived);
      rates.podpathPerSecond.push(flow.rate(SECONDS, PAYLOAD));
    }
  for (const { flow, rates } of cases) {
    const { kernelPerSecond, podpathPerSecond } = rates;
    rates.ratio = median(podpathPerSecond.map((rate, i) => rate / kernelPerSecond[i]!));
    rates.bestRatio = Math.max(...podpathPerSecond) / Math.max(...kernelPerSecond);
    rates.hottest = await hottest(() => flow.rate(SECONDS, PAYLOAD), PROFILED_FUNCTIONS);
  }
  return cases.map(({ rates }) => rates);
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
