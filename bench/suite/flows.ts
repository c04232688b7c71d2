import type { Combination } from "../../src/analysis/bench/cluster.ts";
import { benchCluster } from "./built.ts";
import type { Case, Comparison, Group, Prepared, Target } from "./case.ts";

const BATCH = 1000;
const FIRST_PORT = 1024;
const PORTS = 60_000;
const ROUNDS = 5;

type Kind = "established" | "new";
type Route = Pick<Combination, "mode" | "placement">;

const PLACES = { "same-node": "on one node", "other-node": "to another node" } as const;

const caseName = ({ mode, placement }: Route, kind: Kind, services: number): string =>
  `${mode}: ${kind} flow ${PLACES[placement]}, ${services.toLocaleString("en")} Services`;

/** Packets from a pod by ClusterIP to a pod, nobody watching: of a flow that stands, or that each begins. */
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
  // neighbours are asked for once
  send(addresses[0]!, FIRST_PORT);
  network.settle();
  let sent = 0;
  arrived = 0;
  return {
    operations: BATCH,
    samples: 200,
    before() {
      // port numbers end: a flow must not come round again while it is remembered
      if (kind === "new" && sent === PORTS) {
        sent = 0;
        forget();
      }
      arrived = 0;
    },
    run() {
      if (kind === "established") for (let i = 0; i < BATCH; i++) send(addresses.at(-1)!, FIRST_PORT);
      else
        for (let i = 0; i < BATCH; i++, sent++)
          // a stride that visits Services all over the rule set
          send(addresses[(sent * 7919) % addresses.length]!, FIRST_PORT + sent);
      if (arrived !== BATCH) throw new Error(`${arrived} of ${BATCH} packets reached ${server}`);
    },
  };
}

const growth = (route: Route, kind: Kind, target?: Target): Comparison => ({
  name: `${route.mode}: ${kind} flow ${PLACES[route.placement]}, 10,000 Services by 10`,
  of: caseName(route, kind, 10_000),
  by: caseName(route, kind, 10),
  ...(target && { target }),
});

const KINDS: readonly Kind[] = ["established", "new"];
const SERVICES = [10, 10_000] as const;

const kindsGroup = (route: Route, target?: Target): Group => ({
  cases: KINDS.flatMap((kind) => SERVICES.map((services) => flowCase(route, kind, services))),
  rounds: ROUNDS,
  comparisons: KINDS.map((kind) => growth(route, kind, kind === "new" ? target : undefined)),
});

const newFlowGroup = (route: Route): Group => ({
  cases: SERVICES.map((services) => flowCase(route, "new", services)),
  rounds: ROUNDS,
  comparisons: [growth(route, "new")],
});

/** New flows must not cost more for the rules they do not match, but for caches that they no longer fit. */
const AT_MOST = { atMost: 1.3 } as const;

export const flowGroups: readonly Group[] = [
  kindsGroup({ mode: "iptables", placement: "other-node" }, AT_MOST),
  kindsGroup({ mode: "iptables", placement: "same-node" }),
  newFlowGroup({ mode: "nftables", placement: "other-node" }),
  newFlowGroup({ mode: "ipvs", placement: "other-node" }),
];
