import { IPPROTO_TCP, Packet, TCP_RST, TCP_SYN } from "../../packet/packet.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteOutput } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import { Skb } from "../skb.ts";
import type { Errno } from "./error.ts";

/** What one segment says; addresses and ports are the connection's. */
export interface Segment {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly payloadLength: number;
  readonly window: number;
  /** Payload bytes a packet when the segment is longer than one (GSO); 0 when it is one packet. */
  readonly gsoSize: number;
  /** TCPOPT_* bits: a SYN's offer, what of it the other side takes up, time stamps on what follows; 0 for a stray reset. */
  readonly options: number;
  readonly tos: number;
  /** The connection's `sk_txhash`; 0 when it has none. */
  readonly hash: number;
  readonly cause: number;
}

/** The ends of a connection as this namespace sees them. */
export interface Ends {
  readonly local: number;
  readonly localPort: number;
  readonly remote: number;
  readonly remotePort: number;
}

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
  p.tos = segment.tos;
  p.tcpOptions = segment.options;
  if (segment.flags & TCP_SYN) p.mss = netns.fib.mtu(route, ends.remote) - 40;
  p.payloadLength = segment.payloadLength;
  const skb = new Skb(p);
  skb.route = route;
  skb.gsoSize = segment.gsoSize;
  skb.hash = segment.hash;
  netns.originate(skb, segment.flags & TCP_RST ? "reset" : "socket", segment.cause);
  ipLocalOut(netns, skb);
  return skb.serial;
}
