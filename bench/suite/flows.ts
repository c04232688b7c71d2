import type { Combination } from "../../src/analysis/bench/cluster.ts";
import { benchCluster } from "./built.ts";
import type { Case, Comparison, Group, Prepared, Target } from "./case.ts";

const BATCH = 1000;
const FIRST_PORT = 1024;
const PORTS = 60_000;
const ROUNDS = 5;
/** Visits Services all over the rule set. */
const STRIDE = 7919;

/** `new`: every packet begins a flow to the last Service; `scattered`: to another one each time, all over the rules. */
type Kind = "established" | "new" | "scattered";
type Route = Pick<Combination, "mode" | "placement">;

const PLACES = { "same-node": "on one node", "other-node": "to another node" } as const;

const FLOWS: Readonly<Record<Kind, string>> = {
  established: "established flow",
  new: "new flow",
  scattered: "new flow to a Service in turn",
};

const flowName = ({ mode, placement }: Route, kind: Kind): string =>
  `${mode}: ${FLOWS[kind]} ${PLACES[placement]}`;

const caseName = (route: Route, kind: Kind, services: number): string =>
  `${flowName(route, kind)}, ${services.toLocaleString("en")} Services`;

/** Packets from a pod by ClusterIP to a pod, nobody watching. */
const flowCase = (route: Route, kind: Kind, services: number): Case => ({
  name: caseName(route, kind, services),
  unit: "packet",
  prepare: () => prepare(route, kind, services),
});

function prepare(route: Route, kind: Kind, services: number): Prepared {
  const { client, cluster, addresses } = benchCluster({
    ...route,
    services,
    endpoints: 1,
    scheduler: "rr",
    seed: 1,
  });
  const { network } = cluster;
  const server = `${route.placement === "same-node" ? "node-1" : "node-2"}/default/web-0`;
  let arrived = 0;
  network.onDelivery = ({ name }) => {
    if (name === server) arrived++;
  };
  const send = (destination: number, sourcePort: number): void => {
    client.sockets.udp.send({ destination, destinationPort: 80, sourcePort, payloadLength: 18 });
    network.run();
  };
  const forget = (): void => {
    for (const netns of network.namespaces.values()) {
      netns.netfilter.conntrack?.flush();
      netns.ipvs?.connections.clear();
    }
  };
  const last = addresses.at(-1)!;
  // neighbours are asked for once; by a port of its own, which no other flow would have to give up
  send(last, FIRST_PORT - 1);
  network.settle();
  let sent = 0;
  arrived = 0;
  return {
    operations: BATCH,
    samples: 200,
    before() {
      // port numbers end: a flow must not come round again while it is remembered
      if (kind !== "established" && sent === PORTS) {
        sent = 0;
        forget();
      }
      arrived = 0;
    },
    run() {
      if (kind === "established") for (let i = 0; i < BATCH; i++) send(last, FIRST_PORT);
      else if (kind === "new") for (let i = 0; i < BATCH; i++, sent++) send(last, FIRST_PORT + sent);
      else
        for (let i = 0; i < BATCH; i++, sent++)
          send(addresses[(sent * STRIDE) % addresses.length]!, FIRST_PORT + sent);
      if (arrived !== BATCH) throw new Error(`${arrived} of ${BATCH} packets reached ${server}`);
    },
  };
}

const growth = (route: Route, kind: Kind, target?: Target): Comparison => ({
  name: `${flowName(route, kind)}, 10,000 Services by 10`,
  of: caseName(route, kind, 10_000),
  by: caseName(route, kind, 10),
  ...(target && { target }),
});

const SERVICES = [10, 10_000] as const;

/**
 * New flows must not cost more for the rules that they do not match. Those to a Service in turn do, for other reasons:
 * what ten thousand Services' rules and counters take does not fit a processor's caches.
 */
const TARGETS: Partial<Record<Kind, Target>> = { new: { atMost: 1.3 }, scattered: { atMost: 1.3 } };

const group = (route: Route, kinds: readonly Kind[], targets: Partial<Record<Kind, Target>> = {}): Group => ({
  cases: kinds.flatMap((kind) => SERVICES.map((services) => flowCase(route, kind, services))),
  rounds: ROUNDS,
  comparisons: kinds.map((kind) => growth(route, kind, targets[kind])),
});

export const flowGroups: readonly Group[] = [
  group({ mode: "iptables", placement: "other-node" }, ["established", "new", "scattered"], TARGETS),
  group({ mode: "iptables", placement: "same-node" }, ["established", "new", "scattered"]),
  group({ mode: "nftables", placement: "other-node" }, ["new", "scattered"]),
  group({ mode: "ipvs", placement: "other-node" }, ["new", "scattered"]),
];
