import type { Combination } from "../../src/analysis/bench/cluster.ts";
import { benchCluster } from "./built.ts";
import type { Case, Prepared } from "./case.ts";

const BATCH = 1000;
const FIRST_PORT = 1024;
const PORTS = 60_000;

type Kind = "established" | "new";

/** Packets from a pod by ClusterIP to a pod on another node, nobody watching: of flows that stand, or that each begins. */
function flowCase(kind: Kind, services: number, mode: Combination["mode"]): Case {
  return {
    name: `${mode}: ${kind} flow, ${services.toLocaleString("en")} Services`,
    unit: "packet",
    prepare: () => prepare(kind, services, mode),
  };
}

function prepare(kind: Kind, services: number, mode: Combination["mode"]): Prepared {
  const bench = benchCluster({
    services,
    endpoints: 1,
    mode,
    scheduler: "rr",
    placement: "other-node",
    seed: 1,
  });
  const { client, cluster, addresses } = bench;
  const { network } = cluster;
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
  return {
    operations: BATCH,
    samples: 200,
    before() {
      if (kind === "new" && sent % PORTS > PORTS - BATCH) {
        sent = 0;
        forget();
      }
    },
    run() {
      if (kind === "established") for (let i = 0; i < BATCH; i++) send(addresses.at(-1)!, FIRST_PORT);
      else
        for (let i = 0; i < BATCH; i++, sent++)
          // a stride that visits Services all over the rule set
          send(addresses[(sent * 7919) % addresses.length]!, FIRST_PORT + (sent % PORTS));
    },
  };
}

export const flowCases: readonly Case[] = [
  flowCase("established", 10, "iptables"),
  flowCase("established", 10_000, "iptables"),
  flowCase("new", 10, "iptables"),
  flowCase("new", 10_000, "iptables"),
  flowCase("new", 10, "nftables"),
  flowCase("new", 10_000, "nftables"),
  flowCase("new", 10, "ipvs"),
  flowCase("new", 10_000, "ipvs"),
];
