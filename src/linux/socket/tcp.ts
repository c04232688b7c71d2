import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  IPPROTO_TCP,
  Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  TCPOPTS_ESTABLISHED,
  TCPOPTS_SYN,
} from "../../packet/packet.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteOutput, sourceFor } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, Skb } from "../skb.ts";
import { type Errno, errorOf, reportSocketError } from "./error.ts";
import { type TcpClientOptions, TcpConnection } from "./tcp-connection.ts";

/** What one segment says; addresses and ports are the connection's. */
export interface Segment {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly payloadLength: number;
  readonly window: number;
  /** Payload bytes a packet when the segment is longer than one (GSO); 0 when it is one packet. */
  readonly gsoSize: number;
  readonly cause: number;
}

/** The ends of a connection as this namespace sees them. */
export interface Ends {
  readonly local: number;
  readonly localPort: number;
  readonly remote: number;
  readonly remotePort: number;
}

/** TCP of one namespace (net/ipv4/tcp_ipv4.c): listeners, connections, and resets for whoever has neither. */
export class TcpSockets {
  private readonly netns: Netns;
  private readonly connections = new Map<string, TcpConnection>();
  private lastSequence = 0x1000_0000;

  constructor(netns: Netns) {
    this.netns = netns;
  }

  /** `tcp_v4_rcv` */
  receive(skb: Skb): void {
    const { netns } = this;
    const p = skb.packet;
    if (skb.pktType !== PACKET_HOST) {
      netns.drop(skb, "NOT_SPECIFIED", "tcp_v4_rcv", null, "not addressed to this host's MAC");
      return;
    }
    skb.ct = null;
    skb.ctinfo = 0;
    const connection = this.connections.get(keyOf(p.dst, p.dport, p.src, p.sport));
    if (connection !== undefined && !connection.mayReopen(p)) {
      netns.sockets.deliver(skb, connection.owner);
      connection.receive(skb);
      return;
    }
    const listener = netns.sockets.findListener(IPPROTO_TCP, p.dst, p.dport);
    if (listener === null || p.tcpFlags & TCP_ACK || p.tcpFlags & TCP_RST || (p.tcpFlags & TCP_SYN) === 0) {
      this.sendReset(skb);
      netns.drop(skb, listener === null ? "NO_SOCKET" : "TCP_FLAGS", "tcp_v4_rcv", null, listener === null ? "nobody listens on that port" : null);
      return;
    }
    netns.sockets.deliver(skb, listener.owner);
    const ends = { local: p.dst, localPort: p.dport, remote: p.src, remotePort: p.sport };
    const accepted = new TcpConnection(netns, ends, this.nextSequence(), { owner: listener.owner, respondBytes: listener.respondBytes });
    this.add(accepted);
    accepted.accept(skb);
  }

  /** `tcp_v4_send_reset`: who sent this has no business here. Never in answer to a reset. */
  private sendReset(skb: Skb): void {
    const p = skb.packet;
    if (p.tcpFlags & TCP_RST || skb.route!.type !== 2) return;
    const ends = { local: p.dst, localPort: p.dport, remote: p.src, remotePort: p.sport };
    const answersAck = (p.tcpFlags & TCP_ACK) !== 0;
    const length = p.payloadLength + (p.tcpFlags & TCP_SYN ? 1 : 0) + (p.tcpFlags & TCP_FIN ? 1 : 0);
    sendSegment(this.netns, ends, {
      flags: answersAck ? TCP_RST : TCP_RST | TCP_ACK,
      seq: answersAck ? p.ack : 0,
      ack: answersAck ? 0 : (p.seq + length) >>> 0,
      payloadLength: 0,
      window: 0,
      gsoSize: 0,
      cause: skb.serial,
    });
  }

  /** `tcp_v4_err`: true when a connection here sent the quoted segment. */
  error(skb: Skb, quoted: Packet): boolean {
    const connection = this.connections.get(keyOf(quoted.src, quoted.sport, quoted.dst, quoted.dport));
    if (connection === undefined) return false;
    const error = errorOf(skb);
    reportSocketError(this.netns, skb.serial, error.errno, error.mtu);
    const { icmpType, icmpCode, icmpInfo } = skb.packet;
    if (icmpType === ICMP_DEST_UNREACH && icmpCode === ICMP_FRAG_NEEDED) {
      this.netns.fib.learnPathMtu(quoted.dst, icmpInfo);
      connection.mtuReduced(icmpInfo);
    } else connection.fail(error);
    return true;
  }

  /** `tcp_v4_connect`: the source address is the route's choice, before any translation. An errno when there is no way. */
  connect(options: TcpClientOptions): TcpConnection | Errno {
    const { netns } = this;
    const route = ipRouteOutput(netns, options.destination, options.source ?? 0);
    if (typeof route === "string") {
      reportSocketError(netns, 0, route, null);
      return route;
    }
    const ends = {
      local: options.source || sourceFor(route, options.destination),
      localPort: options.sourcePort,
      remote: options.destination,
      remotePort: options.destinationPort,
    };
    const connection = new TcpConnection(netns, ends, this.nextSequence(), options);
    this.add(connection);
    connection.open();
    return connection;
  }

  /** Forgets every connection without a word to the other side. */
  reset(): void {
    for (const connection of this.connections.values()) connection.forget();
    this.connections.clear();
  }

  remove(connection: TcpConnection): void {
    const { local, localPort, remote, remotePort } = connection.ends;
    const key = keyOf(local, localPort, remote, remotePort);
    if (this.connections.get(key) === connection) this.connections.delete(key);
  }

  private add(connection: TcpConnection): void {
    const { local, localPort, remote, remotePort } = connection.ends;
    this.connections.set(keyOf(local, localPort, remote, remotePort), connection);
  }

  private nextSequence(): number {
    this.lastSequence = (this.lastSequence + 64_000) >>> 0;
    return this.lastSequence;
  }
}

const keyOf = (local: number, localPort: number, remote: number, remotePort: number): string =>
  `${local}:${localPort}-${remote}:${remotePort}`;

/** Sends one segment (`__tcp_transmit_skb`); its number, or the errno with which the network refused it. */
export function sendSegment(netns: Netns, ends: Ends, segment: Segment, ttl?: number): number | Errno {
  const route = ipRouteOutput(netns, ends.remote, ends.local);
  if (typeof route === "string") return route;
  const p = new Packet();
  p.protocol = IPPROTO_TCP;
  p.src = ends.local;
  p.dst = ends.remote;
  p.sport = ends.localPort;
  p.dport = ends.remotePort;
  p.ttl = ttl ?? netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
  p.df = 1;
  p.id = netns.nextIpId();
  p.tcpFlags = segment.flags;
  p.seq = segment.seq;
  p.ack = segment.ack;
  p.window = segment.window;
  if (segment.flags & TCP_SYN) {
    p.tcpOptions = TCPOPTS_SYN;
    p.mss = netns.fib.mtu(route, ends.remote) - 40;
  } else if ((segment.flags & TCP_RST) === 0) p.tcpOptions = TCPOPTS_ESTABLISHED;
  p.payloadLength = segment.payloadLength;
  const skb = new Skb(p);
  skb.route = route;
  skb.gsoSize = segment.gsoSize;
  netns.originate(skb, segment.flags & TCP_RST ? "reset" : "socket", segment.cause);
  ipLocalOut(netns, skb);
  return skb.serial;
}
