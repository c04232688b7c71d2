import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { Netns } from "../../linux/netns.ts";
import { chainsEntered } from "./partition.ts";
import { baseChains } from "./source.ts";

/** Delayed probes of neighbours are over after so long, and what they have confirmed holds for half a minute. */
const IDLE_US = 10_000_000;

/**
 * Makes of a cluster that was just built one that has been up for a while: every node has heard of its pods and they of
 * it, machines on one wire of each other, so that not every packet begins with a question for everybody's MAC. Real
 * packets do that, so whoever cannot be asked stays unknown. Nothing else is remembered of it: where rules would
 * remember it (limit, recent, …), the cluster stays as it was built.
 */
export function warmUp(cluster: SimulatedCluster): void {
  const { network } = cluster;
  const chains = new Set(baseChains(cluster));
  network.checkpoint();
  try {
    greet(cluster);
    chainsEntered(network.journal!, chains);
  } finally {
    network.rollback();
  }
  if ([...chains].some(({ rules }) => rules.some(({ stateful }) => stateful))) return;
  greet(cluster);
}

function greet(cluster: SimulatedCluster): void {
  const { network, nodes } = cluster;
  for (const pod of cluster.pods())
    if (pod.sandbox !== null) ping(pod.node.netns, pod.sandbox.eth0.addresses[0]?.local);
  for (const { netns } of nodes.values()) pingWire(netns);
  for (const netns of cluster.hosts.values()) pingWire(netns);
  network.advance(IDLE_US);
  for (const { netfilter } of network.namespaces.values()) netfilter.conntrack?.flush();
}

/** Everybody whose NIC is on a wire with one of this machine's. */
function pingWire(netns: Netns): void {
  for (const segment of netns.network.segments.values())
    if (segment.nics.some((nic) => nic.netns === netns))
      for (const nic of segment.nics) if (nic.netns !== netns) ping(netns, nic.addresses[0]?.local);
}

function ping({ sockets, network }: Netns, destination: number | undefined): void {
  if (destination === undefined) return;
  sockets.ping.send({ destination, id: 1, sequence: 1, payloadLength: 56 });
  network.run();
}
