import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  IPPROTO_TCP,
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "../../packet/packet.ts";
import { ipRouteOutput, sourceFor } from "../ip/route-output.ts";
import { RTN_BROADCAST, RTN_MULTICAST } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, type Skb } from "../skb.ts";
import { type Errno, errorOf, reportSocketError } from "./error.ts";
import { type TcpClientOptions, TcpConnection } from "./tcp-connection.ts";
import { sendSegment } from "./tcp-segment.ts";

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
      netns.drop(
        skb,
        listener === null ? "NO_SOCKET" : "TCP_FLAGS",
        "tcp_v4_rcv",
        null,
        listener === null ? "nobody listens on that port" : null,
      );
      return;
    }
    netns.sockets.deliver(skb, listener.owner);
    const ends = { local: p.dst, localPort: p.dport, remote: p.src, remotePort: p.sport };
    const accepted = new TcpConnection(netns, ends, this.nextSequence(), {
      owner: listener.owner,
      respondBytes: listener.respondBytes,
    });
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
      options: 0,
      tos: p.tos,
      hash: 0,
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
    if (route.type === RTN_BROADCAST || route.type === RTN_MULTICAST) {
      reportSocketError(netns, 0, "ENETUNREACH", null);
      return "ENETUNREACH";
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
    const { journal } = this.netns.clock;
    for (const [key, connection] of this.connections) {
      connection.forget();
      journal?.delete(this.connections, key);
      this.connections.delete(key);
    }
  }

  remove(connection: TcpConnection): void {
    const { local, localPort, remote, remotePort } = connection.ends;
    const key = keyOf(local, localPort, remote, remotePort);
    if (this.connections.get(key) !== connection) return;
    this.netns.clock.journal?.delete(this.connections, key);
    this.connections.delete(key);
  }

  private add(connection: TcpConnection): void {
    const { local, localPort, remote, remotePort } = connection.ends;
    const key = keyOf(local, localPort, remote, remotePort);
    const { journal } = this.netns.clock;
    journal?.fresh(connection);
    journal?.set(this.connections, key);
    this.connections.set(key, connection);
  }

  private nextSequence(): number {
    this.netns.clock.journal?.keep(this);
    this.lastSequence = (this.lastSequence + 64_000) >>> 0;
    return this.lastSequence;
  }
}

const keyOf = (local: number, localPort: number, remote: number, remotePort: number): string =>
  `${local}:${localPort}-${remote}:${remotePort}`;
