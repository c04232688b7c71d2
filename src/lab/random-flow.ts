import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { ingressAddresses } from "../cluster/build/load-balancer.ts";
import type { Chooser } from "../linux/chooser.ts";
import { formatIpv4, parseIpv4 } from "../packet/address.ts";
import type { FlowRequest } from "./agent.ts";

/** A flow to be verified, and whether what earlier flows left behind (connections, neighbours) stays for it. */
export interface PlannedFlow {
  readonly request: FlowRequest;
  readonly keep: boolean;
  /** What kind of destination it has, for the summary. */
  readonly kind: string;
}

/** Whom a flow may go to. */
interface Destination {
  readonly kind: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "icmp";
  /** ARP asks in vain: the error comes after three seconds. */
  readonly slow?: boolean;
}

/** Source ports: below what the kernel draws from, and clear of NodePorts. */
const FIRST_PORT = 10_500;
const PORTS = 19_000;
const TIMEOUT_MS = 150;
/** Three ARP requests, a second each. */
const ARP_TIMEOUT_MS = 3300;
/** Bytes of UDP and echo payloads, about the limits of the tunnels' MTUs (1500, 1472, 1450 less headers) and above. */
const SIZES = [10, 10, 10, 10, 0, 1392, 1422, 1423, 1444, 1445, 1472, 1473, 2000, 2940, 4000] as const;
const TTLS = [1, 2, 3, 4, 5, 6, 7, 8, 64, 255] as const;

/** What a cluster is for comes more often than what goes wrong. */
const WEIGHTS: Readonly<Record<string, number>> = {
  clusterIP: 6,
  nodePort: 6,
  "load balancer": 3,
  externalIP: 3,
  pod: 4,
  hostPort: 3,
};

/** Random flows over a cluster, one after the other: equal chooser, equal flows. */
export function* randomFlows(cluster: SimulatedCluster, chooser: Chooser): Generator<PlannedFlow, never> {
  const sources = [...cluster.network.namespaces.keys()];
  const destinations = destinationsOf(cluster);
  const kinds = [...new Set(destinations.map(({ kind }) => kind))].flatMap((kind) =>
    Array<string>(WEIGHTS[kind] ?? 1).fill(kind),
  );
  let port = 0;
  let last: PlannedFlow | undefined;
  for (;;) {
    const roll = (n: number): number => chooser.pick(n, "id");
    const one = <T>(list: readonly T[]): T => list[roll(list.length)]!;
    if (last !== undefined && roll(6) === 0) {
      // the same once more while everything remembers the first
      const again: PlannedFlow = { ...last, keep: true };
      yield again;
      continue;
    }
    const kind = one(kinds);
    const to = one(destinations.filter((destination) => destination.kind === kind));
    // what waits for ARP takes seconds: one in eight of its turns
    if (to.slow && roll(8) !== 0) continue;
    port = (port + 1 + roll(7)) % PORTS;
    last = {
      kind,
      keep: roll(5) === 0,
      request: requestOf(one(sources), to, FIRST_PORT + port, roll),
    };
    yield last;
  }
}

function requestOf(
  from: string,
  { address, port, protocol, slow }: Destination,
  sourcePort: number,
  roll: (n: number) => number,
): FlowRequest {
  const one = <T>(list: readonly T[]): T => list[roll(list.length)]!;
  const ttl = roll(4) === 0 ? { ttl: one(TTLS) } : {};
  return {
    from,
    protocol,
    destination: address,
    port,
    sourcePort,
    ...ttl,
    size: protocol === "tcp" ? (roll(2) === 0 ? 0 : 20) : one(SIZES),
    discovery: protocol === "tcp" ? "want" : one(["want", "do", "dont"] as const),
    timeoutMs: slow === true ? ARP_TIMEOUT_MS : TIMEOUT_MS,
  };
}

const CLOSED_PORT = 9;
/** TEST-NET-2 (RFC 5737): nobody has it. */
const NOWHERE = "198.51.100.7";

function destinationsOf(cluster: SimulatedCluster): Destination[] {
  return [
    ...serviceDestinations(cluster),
    ...podDestinations(cluster),
    ...machineDestinations(cluster),
    ...absentDestinations(cluster),
  ];
}

const word = (protocol: string | undefined): "tcp" | "udp" | null =>
  protocol === "UDP" ? "udp" : protocol === "SCTP" ? null : "tcp";

function serviceDestinations({ model }: SimulatedCluster): Destination[] {
  const found: Destination[] = [];
  const nodes = model.nodes.map(({ internalIP }) => internalIP);
  for (const service of model.services) {
    const { clusterIP, externalIPs = [], ports = [] } = service.spec ?? {};
    if (clusterIP === undefined || clusterIP === "None" || clusterIP === "") continue;
    found.push({ kind: "clusterIP ping", address: clusterIP, port: 0, protocol: "icmp" });
    for (const { port, nodePort, protocol: name } of ports) {
      const protocol = word(name);
      if (protocol === null) continue;
      const to = (kind: string, address: string, number: number) =>
        found.push({ kind, address, port: number, protocol });
      to("clusterIP", clusterIP, port);
      to("clusterIP wrong port", clusterIP, port + 1);
      for (const address of externalIPs) to("externalIP", address, port);
      for (const address of ingressAddresses(service)) to("load balancer", address, port);
      if (nodePort === undefined) continue;
      for (const address of nodes) to("nodePort", address, nodePort);
      to("nodePort on localhost", "127.0.0.1", nodePort);
    }
  }
  return found;
}

function podDestinations(cluster: SimulatedCluster): Destination[] {
  const found: Destination[] = [];
  for (const { model, node, sandbox } of cluster.pods()) {
    if (sandbox !== null) {
      found.push({ kind: "pod ping", address: model.ip, port: 0, protocol: "icmp" });
      for (const protocol of ["tcp", "udp"] as const)
        found.push({ kind: "pod closed port", address: model.ip, port: CLOSED_PORT, protocol });
    }
    for (const { containerPort, hostPort, protocol: name } of model.containers.flatMap(
      ({ ports }) => ports,
    )) {
      const protocol = word(name);
      if (protocol === null) continue;
      found.push({ kind: "pod", address: model.ip, port: containerPort, protocol });
      if (hostPort !== null)
        found.push({ kind: "hostPort", address: node.model.internalIP, port: hostPort, protocol });
    }
  }
  return found;
}

function machineDestinations({ network, nodes, hosts }: SimulatedCluster): Destination[] {
  const found: Destination[] = [];
  for (const name of [...nodes.keys(), ...hosts.keys()]) {
    const netns = network.netns(name);
    for (const dev of netns.devices.values())
      for (const { local } of dev.addresses) {
        const address = formatIpv4(local);
        const kind = hosts.has(name) ? "host" : dev.loopback ? "localhost" : "node";
        found.push({ kind: `${kind} ping`, address, port: 0, protocol: "icmp" });
        for (const protocol of ["tcp", "udp"] as const) {
          found.push({ kind: `${kind} closed port`, address, port: CLOSED_PORT, protocol });
          for (const listener of netns.sockets.listeners)
            if (listener.protocol === protocol && listener.address === 0)
              found.push({ kind, address, port: listener.port, protocol });
        }
      }
  }
  return found;
}

/** Addresses that nobody has: in a live node's subnet, in a subnet without a node, on the segment, anywhere. */
function absentDestinations({ model }: SimulatedCluster): Destination[] {
  const above = (block: string, by: number): string => formatIpv4(parseIpv4(block.split("/")[0]!) + by);
  const all = (kind: string, address: string, slow: boolean): Destination[] =>
    (["tcp", "udp", "icmp"] as const).map((protocol) => ({
      kind,
      address,
      port: protocol === "icmp" ? 0 : 80,
      protocol,
      // a connection's repeated SYN races the error: not waited for
      slow: slow && protocol !== "tcp",
    }));
  return [
    ...model.nodes.flatMap(({ podCIDR }) => all("absent pod", above(podCIDR, 231), true)),
    ...all("absent subnet", above(model.flannel.network, 250 * 256 + 9), false),
    ...model.segments.flatMap(({ subnet }) => all("absent host", above(subnet, 249), true)),
    ...all("unroutable", NOWHERE, false),
  ];
}
