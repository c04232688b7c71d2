import { parseIpv4 } from "../../src/packet/address.ts";
import { compareConntrack, compareFlow, comparePaths, compareRules, type Difference } from "./compare.ts";
import { statisticAnswers } from "./guided-chooser.ts";
import { buildLab, type Lab } from "./lab.ts";
import { isAction, type Plan, type Probe, type Result } from "./plan.ts";
import { runProbe } from "./probe.ts";

/** One flow's comparison. */
export interface FlowReport {
  readonly id: string;
  readonly flow: readonly Difference[];
  readonly rules: Difference | null;
  readonly path: Difference | null;
  readonly conntrack: Difference | null;
}

/** What a plan came to. */
export interface ReplayReport {
  readonly flows: readonly FlowReport[];
}

/** Bytes of an answer of which no record tells. */
const RESPONSE_BYTES = 100;
/** Virtual time between one probe and the next: the harness flushes, reads and restarts its captures. */
const BETWEEN_PROBES_US = 100_000;

/** Applies a plan's changes and sends its probes in order, and holds each against what the kernel did. */
export function replay(plan: Plan, results: ReadonlyMap<string, Result>, seed: number): ReplayReport {
  const lab = buildLab(plan, seed);
  const fixed = fixedPorts(plan);
  const flows: FlowReport[] = [];
  let port = 32768;
  for (const flow of plan.flows) {
    if (isAction(flow)) {
      lab.apply(flow);
      continue;
    }
    const kernel = results.get(flow.id) ?? null;
    prepare(lab, flow);
    if (flow.repeat !== undefined) {
      const to = repeatProbe(lab, flow, port);
      port += flow.repeat;
      if (kernel !== null) flows.push(compareDistribution(kernel, to));
    } else {
      const sourcePort = sourcePortOf(flow, kernel) ?? port++;
      if (kernel !== null) ageNeighbours(lab, kernel);
      lab.chooser.guide(kernel === null ? [] : statisticAnswers(kernel, lab.chain));
      const podpath = runProbe(lab, flow, sourcePort, kernel?.reply?.len ?? RESPONSE_BYTES);
      lab.chooser.guide([]);
      if (kernel !== null) flows.push(compare(kernel, podpath, sourcePort, fixed));
    }
    lab.network.advance(BETWEEN_PROBES_US);
  }
  const sent = new Set(flows.map(({ id }) => id));
  for (const [id, { verdict }] of results) if (!sent.has(id)) flows.push(notInPlan(id, verdict ?? "-"));
  return { flows };
}

/** A result of which the plan knows no probe. */
function notInPlan(id: string, verdict: string): FlowReport {
  const difference = { field: "verdict", kernel: verdict, podpath: "-" };
  return { id, flow: [difference], rules: difference, path: difference, conntrack: difference };
}

/** Before every probe connections and path MTUs are forgotten, unless the plan wants them kept. */
function prepare(lab: Lab, probe: Probe): void {
  for (const netns of lab.network.namespaces.values()) {
    if (!probe.keepConntrack) netns.netfilter.conntrack?.flush();
    if (!probe.keepPmtu) netns.fib.pathMtu.clear();
    netns.sockets.tcp.reset();
  }
}

/**
 * How old a node's neighbours are depends on when the probes were really sent. A DNATed packet that stayed on the
 * bridge shows it: it left by docker0 itself when its next hop was not known to be reachable at that moment.
 */
function ageNeighbours(lab: Lab, kernel: Result): void {
  for (const { name } of lab.plan.nodes) {
    for (const path of [kernel.path ?? [], kernel.replyPath ?? []]) {
      const here = path.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(" "));
      const devices = here.map(([, device, direction]) => `${device} ${direction}`);
      const stayed = /^veth\S+ rx$/.test(devices[0] ?? "") && /^veth\S+ tx$/.test(devices.at(-1) ?? "");
      if (!stayed || devices.includes("docker0 rx")) continue;
      const to = here
        .at(-1)!
        .join(" ")
        .match(/> (\d+\.\d+\.\d+\.\d+)/)![1]!;
      const netns = lab.network.netns(name);
      const neighbour = netns.neighbours.find(netns.device("docker0"), parseIpv4(to));
      if (neighbour === null || !neighbour.valid) continue;
      neighbour.fix(neighbour.mac, devices.includes("docker0 tx") ? "STALE" : "REACHABLE");
      neighbour.headerCached = true;
    }
  }
}

function sourcePortOf(probe: Probe, kernel: Result | null): number | null {
  if (probe.sport !== undefined) return probe.sport;
  const port = kernel?.request.source?.split(":")[1];
  return port === undefined ? null : Number(port);
}

function compare(
  kernel: Result,
  podpath: Result,
  sourcePort: number,
  fixed: ReadonlySet<string>,
): FlowReport {
  const ports = new Set([...fixed, String(sourcePort)]);
  return {
    id: kernel.id,
    flow: compareFlow(kernel, podpath, ports),
    rules: compareRules(kernel, podpath),
    path: comparePaths(kernel, podpath, ports),
    conntrack: compareConntrack(kernel, podpath, ports),
  };
}

/** Ports that nobody draws: those of listeners, tunnels, and what the plan's probes name. */
function fixedPorts(plan: Plan): Set<string> {
  const ports = new Set(["8285", "8472"]);
  for (const flow of plan.flows)
    if (!isAction(flow)) for (const port of [flow.dport, flow.sport]) ports.add(String(port));
  for (const { listen = [] } of [...plan.nodes, ...plan.hosts, ...plan.pods])
    for (const one of listen) ports.add(String(typeof one === "number" ? one : one.port));
  for (const lines of Object.values(plan.rulesets))
    for (const line of lines)
      for (const [, port] of line.matchAll(/--to-destination \S+:(\d+)/g)) ports.add(port!);
  return ports;
}

function repeatProbe(lab: Lab, probe: Probe, firstPort: number): Map<string, number> {
  const to = new Map<string, number>();
  for (let i = 0; i < probe.repeat!; i++) {
    const { delivered } = runProbe(lab, probe, firstPort + i, RESPONSE_BYTES);
    const key = delivered?.netns ?? "-";
    to.set(key, (to.get(key) ?? 0) + 1);
  }
  return to;
}

/** Many flows: both must have reached the same receivers. */
function compareDistribution(kernel: Result, to: ReadonlyMap<string, number>): FlowReport {
  const k = Object.keys(kernel.to ?? {})
    .sort()
    .join(" ");
  const p = [...to.keys()].sort().join(" ");
  const flow = k === p ? [] : [{ field: "to", kernel: k, podpath: p }];
  return { id: kernel.id, flow, rules: null, path: null, conntrack: null };
}
