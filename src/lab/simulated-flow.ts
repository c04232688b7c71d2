import type { SimulatedCluster } from "../cluster/build/cluster.ts";
import { formatTuple, stateName } from "../linux/netfilter/conntrack/describe.ts";
import { IPS_ASSURED, IPS_SEEN_REPLY } from "../linux/netfilter/conntrack/entry.ts";
import type { Netns } from "../linux/netns.ts";
import type { Network } from "../linux/network.ts";
import type { DeliverEvent, NetworkEvent } from "../linux/recorder.ts";
import type { Skb } from "../linux/skb.ts";
import type { SocketError } from "../linux/socket/error.ts";
import { formatIpv4, parseIpv4 } from "../packet/address.ts";
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, TCP_ACK, TCP_SYN } from "../packet/packet.ts";
import type { ConntrackRow, FlowRequest, ReceiverSaw, SenderSaw } from "./agent.ts";
import { counted } from "./counters.ts";
import type { FlowRecord, Frame } from "./record.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** A process of the simulation that sends a flow. */
export interface SimulatedProbe {
  readonly record: FlowRecord;
  readonly events: readonly NetworkEvent[];
  readonly counters: Readonly<Record<string, string>>;
  /** Lets go of the socket as the agent does: a connection ends with a reset. */
  close(): void;
}

/** The counters of every namespace that has rules, as `iptables-save -c` would print them. */
export function simulatedCounters({ network }: SimulatedCluster): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const netns of network.namespaces.values())
    if (netns.netfilter.ruleSet.tables.length > 0)
      texts[netns.name] = netns.netfilter.save({ counters: true });
  return texts;
}

/** Forgets connections, neighbours and path MTUs of all namespaces. */
export function forget({ network }: SimulatedCluster): void {
  forgetNeighbours(network);
  // what waited for one is complained of, along the ways that are known
  network.run();
  forgetNeighbours(network);
  for (const netns of network.namespaces.values()) {
    netns.netfilter.conntrack?.flush();
    netns.fib.pathMtu.clear();
  }
}

function forgetNeighbours(network: Network): void {
  for (const netns of network.namespaces.values())
    for (const { dev, address, state } of [...netns.neighbours.entries()])
      if (state !== "PERMANENT" && state !== "NOARP") netns.neighbours.remove(dev, address);
}

/** Sends a flow in the simulation. `before` are the counters from which on is counted. */
export function simulateFlow(
  cluster: SimulatedCluster,
  request: FlowRequest,
  before: Readonly<Record<string, string>>,
): SimulatedProbe {
  const { network } = cluster;
  const events: NetworkEvent[] = [];
  network.recorder = { record: (event) => void events.push(event) };
  const saw: Mutable<SenderSaw> = { errno: null, connected: false, replies: [], errors: [] };
  const close = SENDERS[request.protocol](network.netns(request.from), request, saw);
  wait(cluster, request, saw);
  network.recorder = null;
  const after = simulatedCounters(cluster);
  const sender = { ...saw };
  // given up at once, as the agent does: or its next SYN would choose an endpoint between flows
  if (request.protocol === "tcp" && !sender.connected) close();
  return {
    events,
    counters: after,
    record: {
      frames: events.flatMap(frameOf),
      sender,
      receivers: receivers(cluster, events),
      conntrack: Object.fromEntries(
        Object.keys(after).map((name) => [name, conntrackRows(network.netns(name))]),
      ),
      counts: Object.entries(after).flatMap(([netns, text]) => counted(netns, before[netns] ?? "", text)),
    },
    close: () => {
      close();
      network.run();
      for (const netns of network.namespaces.values()) netns.sockets.tcp.reset();
    },
  };
}

/** Lets time pass until the process has what it waits for, or its patience ends. */
function wait(
  { network }: SimulatedCluster,
  { protocol, size, timeoutMs }: FlowRequest,
  saw: SenderSaw,
): void {
  const end = network.clock.nowUs + timeoutMs * 1000;
  const isDone = (): boolean =>
    saw.errno !== null ||
    saw.replies.length + saw.errors.length > 0 ||
    (protocol === "tcp" && size === 0 && saw.connected);
  network.run();
  while (!isDone() && network.clock.step(end)) network.run();
  if (!isDone()) network.clock.nowUs = end;
}

type Send = (sender: Netns, request: FlowRequest, saw: Mutable<SenderSaw>) => () => void;

const SENDERS: Record<FlowRequest["protocol"], Send> = { tcp: sendTcp, udp: sendUdp, icmp: sendEcho };

const common = ({ destination, bind, ttl }: FlowRequest) => ({
  destination: parseIpv4(destination),
  ...(bind === undefined ? {} : { source: parseIpv4(bind) }),
  ...(ttl === undefined ? {} : { ttl }),
});

function sendTcp(sender: Netns, request: FlowRequest, saw: Mutable<SenderSaw>): () => void {
  const connection = sender.sockets.tcp.connect({
    ...common(request),
    destinationPort: request.port,
    sourcePort: request.sourcePort,
    requestBytes: request.size,
    retransmit: true,
  });
  if (typeof connection === "string") {
    saw.errno = connection;
    return () => {};
  }
  // read when everything has happened
  Object.defineProperties(saw, {
    errno: { get: () => connection.error?.errno ?? null, enumerable: true },
    connected: { get: () => connection.established !== null, enumerable: true },
    replies: {
      get: () =>
        connection.bytesReceived === 0 ? [] : [{ from: null, ttl: null, bytes: connection.bytesReceived }],
      enumerable: true,
    },
  });
  return () => connection.abort();
}

function takeError(saw: Mutable<SenderSaw>, { errno, icmp, mtu }: SocketError): void {
  if (icmp === null) saw.errno ??= errno;
  else saw.errors.push({ errno, type: icmp.type, code: icmp.code, from: formatIpv4(icmp.from), mtu });
}

function sendUdp(sender: Netns, request: FlowRequest, saw: Mutable<SenderSaw>): () => void {
  const { udp } = sender.sockets;
  const socket = udp.bind({
    address: request.bind === undefined ? 0 : parseIpv4(request.bind),
    port: request.sourcePort,
    owner: null,
    receive: ({ packet }: Skb) =>
      void saw.replies.push({
        from: `${formatIpv4(packet.src)}:${packet.sport}`,
        ttl: packet.ttl,
        bytes: packet.payloadLength,
      }),
    error: (error) => takeError(saw, error),
  });
  const { errno } = udp.send({
    ...common(request),
    destinationPort: request.port,
    sourcePort: request.sourcePort,
    payloadLength: request.size,
    discovery: request.discovery,
  });
  saw.errno = errno;
  return () => udp.unbind(socket);
}

function sendEcho(sender: Netns, request: FlowRequest, saw: Mutable<SenderSaw>): () => void {
  const { ping } = sender.sockets;
  const socket = {
    id: request.sourcePort,
    reply: ({ packet }: Skb) =>
      void saw.replies.push({
        from: `${formatIpv4(packet.src)}:0`,
        ttl: packet.ttl,
        bytes: packet.payloadLength + ICMP_HLEN,
      }),
    error: (error: SocketError) => takeError(saw, error),
  };
  ping.open(socket);
  const { errno } = ping.send({
    ...common(request),
    id: request.sourcePort,
    sequence: 1,
    payloadLength: request.size,
    discovery: request.discovery,
  });
  saw.errno = errno;
  return () => ping.close(socket);
}

const ICMP_HLEN = 8;

const frameOf = (event: NetworkEvent): Frame[] =>
  event.type !== "device"
    ? []
    : [
        {
          netns: event.netns,
          device: event.device,
          direction: event.direction,
          timeUs: event.timeUs,
          link: event.link,
          packet: event.packet,
          unreadable: null,
        },
      ];

/** What listeners saw: a datagram each, or the connection that a client completed. */
function receivers({ network }: SimulatedCluster, events: readonly NetworkEvent[]): ReceiverSaw[] {
  const delivered = events.filter((event): event is DeliverEvent => event.type === "deliver");
  const asked = new Set(
    delivered
      .filter(({ packet }) => packet.protocol === IPPROTO_TCP && packet.tcpFlags === TCP_SYN)
      .map(keyOf),
  );
  const accepted = new Set<string>();
  return delivered.flatMap((event): ReceiverSaw[] => {
    const { netns, owner, packet } = event;
    const ends = {
      netns,
      owner,
      source: `${formatIpv4(packet.src)}:${packet.sport}`,
      destination: `${formatIpv4(packet.dst)}:${packet.dport}`,
    };
    if (packet.protocol === IPPROTO_UDP) {
      // sockets of tunnels and of the sender are no listeners
      if (network.netns(netns).sockets.findListener(IPPROTO_UDP, packet.dst, packet.dport) === null)
        return [];
      return [{ ...ends, protocol: "udp", ttl: packet.ttl, bytes: packet.payloadLength }];
    }
    const key = keyOf(event);
    if (packet.protocol !== IPPROTO_TCP || !asked.has(key) || accepted.has(key)) return [];
    if ((packet.tcpFlags & (TCP_SYN | TCP_ACK)) !== TCP_ACK) return [];
    accepted.add(key);
    return [{ ...ends, protocol: "tcp", ttl: null, bytes: 0 }];
  });
}

const keyOf = ({ netns, packet: { src, sport, dst, dport } }: DeliverEvent): string =>
  `${netns} ${src}:${sport} ${dst}:${dport}`;

const PROTOCOLS: Record<number, string> = {
  [IPPROTO_ICMP]: "icmp",
  [IPPROTO_TCP]: "tcp",
  [IPPROTO_UDP]: "udp",
};

/** The connections of a namespace as `conntrack -L` lists them. */
export function conntrackRows({ netfilter }: Netns): ConntrackRow[] {
  return [...(netfilter.conntrack?.entries() ?? [])].map((ct) => ({
    protocol: PROTOCOLS[ct.protocol] ?? String(ct.protocol),
    original: formatTuple(ct.original),
    reply: formatTuple(ct.reply),
    state: stateName(ct),
    flags: [
      ...((ct.status & IPS_SEEN_REPLY) === 0 ? ["UNREPLIED"] : []),
      ...((ct.status & IPS_ASSURED) === 0 ? [] : ["ASSURED"]),
    ],
    mark: ct.mark,
  }));
}
