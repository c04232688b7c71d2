import { stateName } from "../../src/linux/netfilter/conntrack/describe.ts";
import { IPS_ASSURED, IPS_SEEN_REPLY, type Tuple } from "../../src/linux/netfilter/conntrack/entry.ts";
import type { Netns } from "../../src/linux/netns.ts";
import type { PathMtuDiscovery } from "../../src/linux/socket/udp.ts";
import { formatIpv4, parseIpv4 } from "../../src/packet/address.ts";
import type { Lab } from "./lab.ts";
import { Observer } from "./observer.ts";
import type { ConntrackRow, Probe, Result } from "./plan.ts";

/** Bytes that a probe sends when the plan does not say. */
const REQUEST_BYTES = 11;
const DATAGRAM_BYTES = 10;

/** What the sending process saw of one probe. */
interface Sent {
  errno: string | null;
  done: boolean;
  /** Ends the process, and its socket with it. */
  close(): void;
}

/** Sends one probe from `sourcePort`, waits as long as its sender would, and tells what happened. Servers answer with so many bytes. */
export function runProbe(lab: Lab, probe: Probe, sourcePort: number, respondBytes: number): Result {
  const { network } = lab;
  for (const netns of network.namespaces.values())
    for (const listener of netns.sockets.listeners) listener.respondBytes = respondBytes;
  const sender = network.netns(probe.from);
  const observer = new Observer();
  network.recorder = observer;
  const sent = send(sender, probe, sourcePort);
  network.run();
  if (!sent.done && sent.errno === null)
    network.advance(Math.round((probe.timeout ?? lab.plan.timeout) * 1_000_000));
  network.recorder = null;
  const seen = observer.observe(probe.from);
  const verdict = verdictOf(seen, sent);
  const { delivered, reply, icmp, rst } = seen;
  const conntrack = conntrackRows(lab);
  sent.close();
  network.run();
  return {
    id: probe.id,
    request: {},
    verdict,
    ...(seen.dropReason === null ? {} : { reason: seen.dropReason }),
    ...(delivered === undefined ? {} : { delivered }),
    ...(reply === undefined ? {} : { reply }),
    ...(icmp === undefined ? {} : { icmp }),
    ...(rst === undefined ? {} : { rst }),
    conntrack,
    rules: observer.rules(),
    path: observer.path("req"),
    replyPath: observer.path("rep"),
    icmpPath: icmp === undefined ? [] : observer.path("icmperr"),
    rstPath: rst === undefined ? [] : observer.path("rst"),
  };
}

function verdictOf(seen: ReturnType<Observer["observe"]>, sent: Sent): string {
  if (seen.delivered !== undefined) return "delivered";
  if (seen.rst !== undefined) return seen.rejected ? "rejected" : "refused";
  if (seen.rejected && (seen.icmp !== undefined || sent.errno === "EPERM")) return "rejected";
  if (seen.icmp === undefined) return "dropped";
  if (seen.icmp.type === 11) return "expired";
  return seen.dropReason === "NO_SOCKET" ? "refused" : "unreachable";
}

function send(sender: Netns, probe: Probe, sourcePort: number): Sent {
  const sent: Sent = { errno: null, done: false, close: () => {} };
  const destination = parseIpv4(probe.dst);
  const bound = probe.bind === undefined ? {} : { source: parseIpv4(probe.bind) };
  const ttl = probe.ttl === undefined ? {} : { ttl: probe.ttl };
  const discovery: PathMtuDiscovery = probe.df === undefined ? "want" : probe.df ? "do" : "dont";
  const done = (): void => {
    sent.done = true;
  };
  if (probe.proto === "tcp") {
    const connection = sender.sockets.tcp.connect({
      destination,
      destinationPort: probe.dport!,
      sourcePort,
      requestBytes: probe.size ?? REQUEST_BYTES,
      close: probe.close === "fin",
      retransmit: true,
      ...bound,
      ...ttl,
    });
    if (typeof connection === "string") sent.errno = connection;
    else {
      sent.close = () => connection.abort();
      Object.defineProperty(sent, "done", {
        get: () => connection.bytesReceived > 0 || connection.error !== null,
      });
    }
    return sent;
  }
  const fail = (errno: string): void => {
    sent.errno = errno;
    sent.done = true;
  };
  if (probe.proto === "udp") {
    const socket = sender.sockets.udp.bind({
      address: 0,
      port: sourcePort,
      owner: null,
      receive: done,
      error: ({ errno }) => fail(errno),
    });
    const { errno } = sender.sockets.udp.send({
      destination,
      destinationPort: probe.dport!,
      sourcePort,
      payloadLength: probe.size === undefined ? DATAGRAM_BYTES : probe.size - 8,
      discovery,
      ...bound,
      ...ttl,
    });
    if (errno !== null) sent.errno = errno;
    sent.close = () => sender.sockets.udp.unbind(socket);
    return sent;
  }
  const socket = { id: sourcePort, reply: done, error: ({ errno }: { errno: string }) => fail(errno) };
  sender.sockets.ping.open(socket);
  sent.close = () => sender.sockets.ping.close(socket);
  const { errno } = sender.sockets.ping.send({
    destination,
    id: sourcePort,
    sequence: 1,
    payloadLength: probe.size === undefined ? DATAGRAM_BYTES : probe.size - 8,
    discovery,
    ...bound,
    ...ttl,
  });
  if (errno !== null) sent.errno = errno;
  return sent;
}

const formatTuple = (t: Tuple): string =>
  t.protocol === 1
    ? `${formatIpv4(t.src)}>${formatIpv4(t.dst)}`
    : `${formatIpv4(t.src)}:${t.sport}>${formatIpv4(t.dst)}:${t.dport}`;

const PROTOCOLS: Record<number, string> = { 1: "icmp", 6: "tcp", 17: "udp", 132: "sctp" };

function conntrackRows(lab: Lab): ConntrackRow[] {
  const rows: ConntrackRow[] = [];
  for (const { name } of lab.plan.nodes) {
    for (const ct of lab.network.netns(name).netfilter.conntrack?.entries() ?? []) {
      const flags: string[] = [];
      if ((ct.status & IPS_SEEN_REPLY) === 0) flags.push("UNREPLIED");
      if (ct.status & IPS_ASSURED) flags.push("ASSURED");
      rows.push({
        netns: name,
        protocol: PROTOCOLS[ct.protocol] ?? String(ct.protocol),
        state: stateName(ct),
        flags,
        original: formatTuple(ct.original),
        reply: formatTuple(ct.reply),
      });
    }
  }
  return rows;
}
