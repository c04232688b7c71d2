import { cpus } from "node:os";
import { buildNetwork } from "../src/cluster/build/network.ts";
import type { Netns } from "../src/linux/netns.ts";
import type { Network } from "../src/linux/network.ts";
import { parseIpv4 } from "../src/packet/address.ts";
import { loadTopology } from "../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../src/topology/load/source.ts";
import { hottest } from "./suite/profile.ts";

/**
 * `npm run bench:packets`: how many packets a second go from a pod to a ClusterIP and on to a pod on another node,
 * with nobody watching; for a connection that stands and for one that each packet begins. One core.
 */

const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 3);

interface Case {
  readonly name: string;
  readonly network: Network;
  /** Sends one packet, which ends at the listener. */
  send(i: number): void;
}

const { model } = loadTopology(readSources([builtInTopology()]));

/** A UDP datagram to the Service `kube-dns` from `client`, whose server does not answer. */
function prepare(): { network: Network; client: Netns; address: number } {
  const cluster = buildNetwork(model, { seed: 1 });
  const { network } = cluster;
  const client = network.netns("srv-k8s-node1/default/client");
  for (const netns of network.namespaces.values())
    for (const listener of netns.sockets.listeners) listener.respondBytes = 0;
  const dns = model.services.find((service) =>
    service.spec?.ports?.some(({ protocol, port }) => protocol === "UDP" && port === 53),
  );
  if (dns?.spec?.clusterIP === undefined) throw new Error("the topology has no UDP Service");
  return { network, client, address: parseIpv4(dns.spec.clusterIP) };
}

function cases(): Case[] {
  const standing = prepare();
  const fresh = prepare();
  const send = ({ client, address }: ReturnType<typeof prepare>, sourcePort: number): void => {
    client.sockets.udp.send({ destination: address, destinationPort: 53, sourcePort, payloadLength: 18 });
  };
  return [
    { name: "established", network: standing.network, send: () => send(standing, 40000) },
    {
      name: "new",
      network: fresh.network,
      send(i) {
        // port numbers end: forget the connections before they come round again
        if (i % 60000 === 0)
          for (const netns of fresh.network.namespaces.values()) netns.netfilter.conntrack?.flush();
        send(fresh, 1024 + (i % 60000));
      },
    },
  ];
}

/** Device crossings of one packet. */
function hopsOf({ network, send }: Case): number {
  // the first packet asks for neighbours and decides translations
  send(1);
  network.run();
  let hops = 0;
  network.recorder = { record: (event) => void (event.type === "device" && hops++) };
  send(1);
  network.run();
  network.recorder = null;
  return hops;
}

function run(one: Case): { packets: number; seconds: number } {
  const start = process.hrtime.bigint();
  const limit = BigInt(SECONDS) * 1_000_000_000n;
  let packets = 0;
  let elapsed = 0n;
  while (elapsed < limit) {
    for (let i = 0; i < 1000; i++) {
      one.send(packets + i);
      one.network.run();
    }
    packets += 1000;
    elapsed = process.hrtime.bigint() - start;
  }
  return { packets, seconds: Number(elapsed) / 1e9 };
}

process.stdout.write(
  `node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, pod → ClusterIP → pod on another node, no recorder\n`,
);
for (const one of cases()) {
  const hops = hopsOf(one);
  run(one);
  const { packets, seconds } = run(one);
  const rate = packets / seconds;
  process.stdout.write(
    `${one.name}: ${Math.round(rate)} packets/s, ${(1e9 / rate).toFixed(0)} ns a packet, ${hops} device crossings, ${(1e9 / rate / hops).toFixed(0)} ns each\n`,
  );
  for (const line of await hottest(() => run(one), 8)) process.stdout.write(`  ${line}\n`);
}
