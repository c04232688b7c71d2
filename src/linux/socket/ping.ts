import { ICMP_ECHO, IPPROTO_ICMP, Packet } from "../../packet/packet.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteOutput, sourceFor } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import { Skb } from "../skb.ts";
import { errorOf, reportSocketError, type SocketError } from "./error.ts";
import type { PathMtuDiscovery, SendResult } from "./udp.ts";

/** Somebody who pings: gets the answers and errors that carry its identifier. */
export interface PingSocket {
  readonly id: number;
  reply(skb: Skb): void;
  error?(error: SocketError, serial: number): void;
}

/** ICMP echo of one namespace (net/ipv4/ping.c). */
export class PingSockets {
  private readonly netns: Netns;
  private readonly byId = new Map<number, PingSocket>();

  constructor(netns: Netns) {
    this.netns = netns;
  }

  open(socket: PingSocket): void {
    this.netns.clock.journal?.set(this.byId, socket.id);
    this.byId.set(socket.id, socket);
  }

  close(socket: PingSocket): void {
    this.netns.clock.journal?.delete(this.byId, socket.id);
    this.byId.delete(socket.id);
  }

  receive(skb: Skb): void {
    this.netns.sockets.deliver(skb, null);
    this.byId.get(skb.packet.icmpId)?.reply(skb);
  }

  /** True when a socket here sent the quoted echo request. */
  error(skb: Skb, quoted: Packet): boolean {
    const socket = this.byId.get(quoted.icmpId);
    if (quoted.icmpType !== ICMP_ECHO || socket === undefined) return false;
    const error = errorOf(skb);
    reportSocketError(this.netns, skb.serial, error.errno, error.mtu);
    socket.error?.(error, skb.serial);
    return true;
  }

  /** Sends one echo request of `payloadLength` bytes after the ICMP header. */
  send(request: {
    destination: number;
    source?: number;
    id: number;
    sequence: number;
    payloadLength: number;
    ttl?: number;
    discovery?: PathMtuDiscovery;
  }): SendResult {
    const { netns } = this;
    const { destination, discovery = "want" } = request;
    const route = ipRouteOutput(netns, destination, request.source ?? 0);
    if (typeof route === "string") return this.refuse(route, null);
    const mtu = netns.fib.mtu(route, destination);
    const length = 28 + request.payloadLength;
    if (discovery === "do" && length > mtu) return this.refuse("EMSGSIZE", mtu);
    const p = new Packet();
    p.protocol = IPPROTO_ICMP;
    p.src = request.source || sourceFor(route, destination);
    p.dst = destination;
    p.ttl = request.ttl ?? netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
    p.id = netns.nextIpId();
    p.df = discovery === "do" || (discovery === "want" && length <= mtu) ? 1 : 0;
    p.icmpType = ICMP_ECHO;
    p.icmpId = request.id;
    p.icmpSeq = request.sequence;
    p.payloadLength = request.payloadLength;
    const skb = new Skb(p);
    skb.route = route;
    skb.ignoreDf = discovery !== "do";
    netns.originate(skb, "socket", 0);
    if (ipLocalOut(netns, skb)) return { serial: skb.serial, errno: null, mtu: null };
    const errno = skb.dropError ?? "EPERM";
    reportSocketError(netns, skb.serial, errno, null);
    return { serial: skb.serial, errno, mtu: null };
  }

  private refuse(
    errno: "EMSGSIZE" | "ENETUNREACH" | "EHOSTUNREACH" | "EACCES" | "EINVAL",
    mtu: number | null,
  ): SendResult {
    reportSocketError(this.netns, 0, errno, mtu);
    return { serial: 0, errno, mtu };
  }
}
