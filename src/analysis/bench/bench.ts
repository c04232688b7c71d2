import type { IpvsScheduler, ProxyMode } from "../../cluster/objects/kube-proxy-configuration.ts";
import { type BenchCluster, benchCluster, type Combination } from "./cluster.ts";
import { type CostModel, DEFAULT_COSTS, latencyUs, type Work } from "./cost-model.ts";
import { type MeasuredWork, measureSpeed, measureWork, type Speed } from "./measure.ts";
import { type Spread, spread } from "./statistics.ts";
import { type SyncSize, syncSize } from "./sync-size.ts";
import type { Turns } from "./turns.ts";

/** What `podpath bench` is asked. */
export interface BenchRequest {
  readonly services: readonly number[];
  readonly endpoints: readonly number[];
  readonly modes: readonly ProxyMode[];
  readonly scheduler: IpvsScheduler;
  readonly placement: Combination["placement"];
  readonly seed: number;
  readonly costs: CostModel;
  /** Seconds that the simulator's own speed is measured for, each of two ways; 0 leaves it out. */
  readonly speedSeconds: number;
}

export const DEFAULT_REQUEST: BenchRequest = {
  services: [10, 100, 1000, 10000],
  endpoints: [1, 15],
  modes: ["iptables", "ipvs", "nftables"],
  scheduler: "rr",
  placement: "same-node",
  seed: 1,
  costs: DEFAULT_COSTS,
  speedSeconds: 0.2,
};

/** One combination's figures. Counts are of the request's whole way, all nodes together. */
export interface BenchRow {
  readonly mode: ProxyMode;
  readonly services: number;
  readonly endpoints: number;
  /** Rules that the first packet of a flow walks, over all Services. */
  readonly firstPacketRules: Spread;
  /** Rules that a later packet of a flow walks: the mean. */
  readonly establishedPacketRules: number;
  /** Look-ups in sets, maps and IPVS' tables that a first packet makes: the mean. */
  readonly firstPacketLookups: number;
  /** Rules of the client's node, everybody's. */
  readonly rulesInSet: number;
  readonly syncBytes: SyncSize;
  /** Connections that one flow makes, over all nodes. */
  readonly conntrackEntries: number;
  readonly firstPacketUs: Spread;
  readonly establishedPacketUs: number;
  /** Packets a second of the simulator; null when it was not asked. */
  readonly simulator: Speed | null;
}

/** The combinations of a request, in the order of modes, Services, endpoints. */
export function combinationsOf(request: BenchRequest): Combination[] {
  const { scheduler, placement, seed } = request;
  return request.modes.flatMap((mode) =>
    request.services.flatMap((services) =>
      request.endpoints.map((endpoints) => ({ services, endpoints, mode, scheduler, placement, seed })),
    ),
  );
}

/** Measures every combination, in their order; `done` is told of each. */
export function runBench(request: BenchRequest, done: () => void = () => {}): BenchRow[] {
  return combinationsOf(request).map((combination) => {
    const row = measure(combination, request);
    done();
    return row;
  });
}

const mean = (values: readonly number[]): number => spread(values).mean;

/** Where nobody else is at work. */
const ALONE: Pick<Turns, "count" | "measure"> = { count: (act) => act(), measure: (act) => act() };

/** One combination's figures. Counts at any time, and measures time when it is its turn. */
export function measure(
  combination: Combination,
  { costs, speedSeconds }: BenchRequest,
  turns: Pick<Turns, "count" | "measure"> = ALONE,
): BenchRow {
  const { bench, row } = turns.count(() => count(combination, costs));
  const simulator = speedSeconds > 0 ? turns.measure(() => measureSpeed(bench, speedSeconds)) : null;
  return { ...row, simulator };
}

function count(
  combination: Combination,
  costs: CostModel,
): { readonly bench: BenchCluster; readonly row: Omit<BenchRow, "simulator"> } {
  const bench = benchCluster(combination);
  const { first, established }: MeasuredWork = measureWork(bench);
  const rules = ({ iptablesRules, nftablesRules }: Work): number => iptablesRules + nftablesRules;
  const { mode, services, endpoints } = combination;
  const row = {
    mode,
    services,
    endpoints,
    firstPacketRules: spread(first.map(rules)),
    establishedPacketRules: mean(established.map(rules)),
    firstPacketLookups: mean(first.map(({ lookups }) => lookups)),
    rulesInSet: rulesInSet(bench),
    syncBytes: syncSize(combination, bench),
    conntrackEntries: mean(first.map(({ conntrackInserts }) => conntrackInserts)),
    firstPacketUs: spread(first.map((work) => latencyUs(costs, work))),
    establishedPacketUs: mean(established.map((work) => latencyUs(costs, work))),
  };
  return { bench, row };
}

function rulesInSet({ client, cluster }: BenchCluster): number {
  const { netfilter } = cluster.node(client.name.split("/")[0]!).netns;
  let rules = 0;
  for (const { chains } of netfilter.ruleSet.tables)
    for (const chain of chains.values()) rules += chain.rules.length;
  for (const chain of netfilter.nftables?.table.chains.values() ?? []) rules += chain.rules.length;
  return rules;
}
