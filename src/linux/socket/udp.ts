import { ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, IPPROTO_UDP, Packet } from "../../packet/packet.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteOutput, sourceFor } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, Skb } from "../skb.ts";
import { type Errno, errorOf, reportSocketError, type SocketError } from "./error.ts";
import type { Listener } from "./socket-table.ts";

/**
 * IP_MTU_DISCOVER: `want` sets DF on what fits and cuts what does not, `do` sets DF and refuses what does not fit,
 * `dont` never sets DF.
 */
export type PathMtuDiscovery = "want" | "do" | "dont";

/** A bound UDP socket. */
export interface UdpSocket {
  /** 0: any. */
  readonly address: number;
  readonly port: number;
  readonly owner: string | null;
  receive(skb: Skb): void;
  error?(error: SocketError, serial: number): void;
}

export interface UdpDatagram {
  readonly destination: number;
  readonly destinationPort: number;
  readonly sourcePort: number;
  /** Source address that the socket is bound to; 0 leaves it to the route. */
  readonly source?: number;
  readonly payloadLength: number;
  readonly ttl?: number;
  readonly discovery?: PathMtuDiscovery;
  /** The packet that a tunnel daemon sends inside. */
  readonly inner?: Packet;
  /** Number of the packet that caused this one. */
  readonly cause?: number;
  readonly origin?: "socket" | "daemon";
}

/** What came of a send: the packet's number, and the errno that the sender got. */
export interface SendResult {
  readonly serial: number;
  readonly errno: Errno | null;
  readonly mtu: number | null;
}

/** UDP of one namespace (net/ipv4/udp.c). */
export class UdpSockets {
  private readonly netns: Netns;
  private readonly byPort = new Map<number, UdpSocket[]>();
  private readonly served = new Map<Listener, UdpSocket>();

  constructor(netns: Netns) {
    this.netns = netns;
  }

  bind(socket: UdpSocket): UdpSocket {
    const same = this.byPort.get(socket.port);
    const { journal } = this.netns.clock;
    if (same === undefined) {
      journal?.set(this.byPort, socket.port);
      this.byPort.set(socket.port, [socket]);
    } else {
      journal?.keep(same);
      same.push(socket);
    }
    return socket;
  }

  unbind(socket: UdpSocket): void {
    const same = this.byPort.get(socket.port);
    const at = same?.indexOf(socket) ?? -1;
    const { journal } = this.netns.clock;
    if (same === undefined || at < 0) return;
    journal?.keep(same);
    same.splice(at, 1);
    if (same.length > 0) return;
    journal?.delete(this.byPort, socket.port);
    this.byPort.delete(socket.port);
  }

  /** A listener that answers every datagram but another server's answer: two servers never talk for ever. */
  serve(listener: Listener): void {
    const { address, port, owner } = listener;
    const receive = (skb: Skb): void => {
      const { src, dst, sport, dport } = skb.packet;
      const isAnswer = skb.origin === "socket" && skb.cause !== 0;
      if (listener.respondBytes === 0 || isAnswer) return;
      this.send({
        destination: src,
        destinationPort: sport,
        source: skb.route!.type === 2 ? dst : 0,
        sourcePort: dport,
        payloadLength: listener.respondBytes,
        cause: skb.serial,
      });
    };
    this.served.set(listener, this.bind({ address, port, owner, receive }));
  }

  stop(listener: Listener): void {
    const socket = this.served.get(listener);
    if (socket !== undefined) this.unbind(socket);
    this.served.delete(listener);
  }

  /** Does anybody hold that port, on whatever address? */
  isBound(port: number): boolean {
    return this.byPort.has(port);
  }

  private find(address: number, port: number): UdpSocket | null {
    let any: UdpSocket | null = null;
    for (const socket of this.byPort.get(port) ?? []) {
      if (socket.address === address) return socket;
      if (socket.address === 0) any = socket;
    }
    return any;
  }

  /** `__udp4_lib_rcv` */
  receive(skb: Skb): void {
    const { dst, dport } = skb.packet;
    const socket = this.find(dst, dport);
    // nf_reset_ct: what the packet was tracked as ends where the socket begins
    skb.ct = null;
    skb.ctinfo = 0;
    if (socket !== null) {
      this.netns.sockets.deliver(skb, socket.owner);
      socket.receive(skb);
      return;
    }
    this.netns.icmpSend(this.netns, skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
    this.netns.drop(skb, "NO_SOCKET", "__udp4_lib_rcv", null, "nobody listens on that port");
  }

  /** `__udp4_lib_err`: true when a socket here sent the quoted datagram. */
  error(skb: Skb, quoted: Packet): boolean {
    const socket = this.find(quoted.src, quoted.sport);
    if (socket === null) return false;
    const error = errorOf(skb);
    reportSocketError(this.netns, skb.serial, error.errno, error.mtu);
    socket.error?.(error, skb.serial);
    return true;
  }

  /** `udp_sendmsg`: route, DF, and out. An error is what `sendto` would return. */
  send(datagram: UdpDatagram): SendResult {
    const { netns } = this;
    const { destination, discovery = "want" } = datagram;
    const route = ipRouteOutput(netns, destination, datagram.source ?? 0);
    if (typeof route === "string") return this.refuse(route, null);
    const mtu = netns.fib.mtu(route, destination);
    const length = 28 + datagram.payloadLength;
    if (discovery === "do" && length > mtu) return this.refuse("EMSGSIZE", mtu);
    const p = new Packet();
    p.protocol = IPPROTO_UDP;
    p.src = datagram.source || sourceFor(route, destination);
    p.dst = destination;
    p.sport = datagram.sourcePort;
    p.dport = datagram.destinationPort;
    p.ttl = datagram.ttl ?? netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
    p.id = netns.nextIpId();
    p.df = discovery === "do" || (discovery === "want" && length <= mtu) ? 1 : 0;
    p.payloadLength = datagram.payloadLength;
    p.inner = datagram.inner ?? null;
    const skb = new Skb(p);
    skb.pktType = PACKET_HOST;
    skb.route = route;
    skb.ignoreDf = discovery !== "do";
    netns.originate(skb, datagram.origin ?? "socket", datagram.cause ?? 0);
    if (!ipLocalOut(netns, skb)) {
      const errno = skb.dropError ?? "EPERM";
      reportSocketError(netns, skb.serial, errno, null);
      return { serial: skb.serial, errno, mtu: null };
    }
    return { serial: skb.serial, errno: null, mtu: null };
  }

  private refuse(errno: Errno, mtu: number | null): SendResult {
    reportSocketError(this.netns, 0, errno, mtu);
    return { serial: 0, errno, mtu };
  }
}
