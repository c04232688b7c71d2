import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { SimulatedPod } from "../../cluster/build/pod.ts";
import { toNumber } from "../../cluster/objects/address.ts";
import type { FibEntry } from "../../linux/ip/route.ts";
import { RTN_LOCAL } from "../../linux/netfilter/context.ts";
import type { Chain } from "../../linux/netfilter/rules/rule-set.ts";
import type { Netns } from "../../linux/netns.ts";
import { namedAddresses, signature } from "./named-addresses.ts";

/** Somebody who can send. Several names are one sender where pods share their node's network. */
export interface ReachSource {
  /** `pod/NAMESPACE/NAME`, `node/NAME` or `host/NAME`; the first is the one to trace from. */
  readonly names: readonly string[];
  readonly netns: Netns;
  /** The pod's own address; null for nodes and hosts, whom nobody is like. */
  readonly address: number | null;
}

/**
 * Senders that the network can tell apart by their addresses only, and by those only in chains that packets have to be
 * led into. Which of them are equal to one target is found by looking at the chains that a packet to it came through.
 */
export interface SourceGroup {
  readonly sources: readonly ReachSource[];
}

/**
 * Everybody in a cluster who can send, put together as far as this holds: pods of one node, with the same settings and
 * the same wire to the bridge, whose addresses lie in the same subnets of every routing table and are named by none of
 * the chains that every packet comes through. In a network that has seen packets already everybody stands alone, since
 * what it remembers may tell them apart; so too where somebody beside iptables judges packets.
 */
export function sourceGroups(cluster: SimulatedCluster): SourceGroup[] {
  const groups = new Map<string, ReachSource[]>();
  const fresh = isFresh(cluster);
  const subnets = subnetsOf(cluster);
  const everywhere = baseChains(cluster);
  const opaque = everywhere.some((chain) => namedAddresses(chain).opaque);
  const shared = [...cluster.network.namespaces.values()].some(({ netfilter }) => netfilter.isShared);
  for (const pod of cluster.pods()) {
    if (pod.sandbox === null) continue;
    const address = toNumber(pod.model.ip);
    const source = { names: [podName(pod)], netns: pod.netns, address };
    const alone = !fresh || opaque || shared || pod.netns.netfilter.ruleSet.tables.length > 0;
    const key = alone
      ? pod.netns.name
      : JSON.stringify([
          likeness(pod, address),
          subnets.map((holds) => (holds(address) ? 1 : 0)).join(""),
          everywhere.map((chain) => signature(namedAddresses(chain), address)).join(" "),
        ]);
    const same = groups.get(key);
    if (same === undefined) groups.set(key, [source]);
    else same.push(source);
  }
  return [...machines(cluster), ...groups.values()].map((sources) => ({ sources }));
}

const podName = ({ model }: SimulatedPod): string => `pod/${model.namespace}/${model.name}`;

/** Nodes, with the pods that share their network, and hosts. */
function machines(cluster: SimulatedCluster): ReachSource[][] {
  const guests = [...cluster.pods()].filter(({ sandbox }) => sandbox === null);
  const nodes = [...cluster.nodes.values()].map(({ netns, model }) => ({
    names: [`node/${model.name}`, ...guests.filter((pod) => pod.netns === netns).map(podName)],
    netns,
    address: null,
  }));
  const hosts = [...cluster.hosts].map(([name, netns]) => ({
    names: [`host/${name}`],
    netns,
    address: null,
  }));
  return [...nodes, ...hosts].map((source) => [source]);
}

/** Has no packet gone anywhere yet? */
function isFresh({ network }: SimulatedCluster): boolean {
  if (network.clock.nowUs !== 0) return false;
  return [...network.namespaces.values()].every(({ netfilter }) => (netfilter.conntrack?.size ?? 0) === 0);
}

/** What a pod's packets depend on but for its address, which stands as `self`. */
function likeness({ node, netns, sandbox }: SimulatedPod, address: number): unknown[] {
  const { eth0, veth, port } = sandbox!;
  const own = (one: number): number | "self" => (one === address ? "self" : one);
  const route = ({ dev, ...entry }: FibEntry): unknown => ({
    ...entry,
    destination: own(entry.destination),
    prefsrc: own(entry.prefsrc),
    dev: dev?.name,
  });
  const { all, scalar, localPortRange } = netns.sysctl;
  return [
    node.netns.name,
    [eth0, veth, netns.loopback].map(({ mtu, up, gso, conf, noarp }) => [mtu, up, gso, noarp, conf]),
    port.hairpin,
    all,
    scalar,
    localPortRange,
    [...netns.fib.entries(255), ...netns.fib.entries(254)].map(route),
    [...netns.devices.keys()],
  ];
}

type Holds = (address: number) => boolean;

/** Every block that a routing table but a pod's own, a lease or a neighbour table names. */
function subnetsOf(cluster: SimulatedCluster): Holds[] {
  const blocks = new Map<string, Holds>();
  const add = (base: number, length: number): void => {
    if (length === 0) return;
    const size = 2 ** (32 - length);
    blocks.set(`${base}/${length}`, (address) => address >= base && address < base + size);
  };
  const podSandboxes = new Set(
    [...cluster.pods()].filter(({ sandbox }) => sandbox !== null).map(({ netns }) => netns),
  );
  for (const netns of cluster.network.namespaces.values()) {
    for (const table of [255, 254] as const)
      for (const { destination, prefixLength, type, gateway } of netns.fib.entries(table)) {
        // that a pod's own address is local there goes for every pod
        if (type === RTN_LOCAL && podSandboxes.has(netns)) continue;
        add(destination, prefixLength);
        if (gateway !== 0) add(gateway, 32);
      }
    for (const { address } of netns.neighbours.entries()) if (address !== 0) add(address, 32);
  }
  for (const { lease } of cluster.nodes.values()) add(lease.subnet, lease.prefixLength);
  return [...blocks.values()];
}

/** The chains in which walks begin, over all namespaces. */
export function baseChains({ network }: SimulatedCluster): Chain[] {
  const chains = new Set<Chain>();
  for (const { netfilter } of network.namespaces.values())
    for (const table of netfilter.ruleSet.tables)
      for (const chain of table.chains.values()) if (chain.policy !== null) chains.add(chain);
  return [...chains];
}
