import type { IpvsScheduler, ProxyMode } from "../../cluster/objects/kube-proxy-configuration.ts";
import { benchCluster, type Combination } from "./cluster.ts";
import { type CostModel, DEFAULT_COSTS, latencyUs, type Work } from "./cost-model.ts";
import { type MeasuredWork, measureSpeed, measureWork, type Speed } from "./measure.ts";
import { type Spread, spread } from "./statistics.ts";
import { type SyncSize, syncSize } from "./sync-size.ts";

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

/** Measures every combination, in the order of modes, Services, endpoints; `done` is told of each. */
export function runBench(request: BenchRequest, done: () => void = () => {}): BenchRow[] {
  const { scheduler, placement, seed } = request;
  const rows: BenchRow[] = [];
  for (const mode of request.modes)
    for (const services of request.services)
      for (const endpoints of request.endpoints) {
        rows.push(measure({ services, endpoints, mode, scheduler, placement, seed }, request));
        done();
      }
  return rows;
}

const mean = (values: readonly number[]): number => spread(values).mean;

function measure(combination: Combination, { costs, speedSeconds }: BenchRequest): BenchRow {
  const bench = benchCluster(combination);
  const { first, established }: MeasuredWork = measureWork(bench);
  const rules = ({ iptablesRules, nftablesRules }: Work): number => iptablesRules + nftablesRules;
  const { mode, services, endpoints } = combination;
  return {
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
    simulator: speedSeconds > 0 ? measureSpeed(bench, speedSeconds) : null,
  };
}

function rulesInSet({ client, cluster }: ReturnType<typeof benchCluster>): number {
  const { netfilter } = cluster.node(client.name.split("/")[0]!).netns;
  let rules = 0;
  for (const { chains } of netfilter.ruleSet.tables)
    for (const chain of chains.values()) rules += chain.rules.length;
  for (const chain of netfilter.nftables?.table.chains.values() ?? []) rules += chain.rules.length;
  return rules;
}
