import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_PORT_UNREACH,
  ICMP_TIME_EXCEEDED,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isIcmpError,
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "../../packet/packet.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteMeHarder, ipRouteOutput } from "../ip/route-output.ts";
import { directionOf } from "../netfilter/conntrack/direction.ts";
import { IP_CT_DIR_ORIGINAL, IPS_CONFIRMED } from "../netfilter/conntrack/entry.ts";
import { RTN_LOCAL } from "../netfilter/context.ts";
import type { HookOps } from "../netfilter/hook-ops.ts";
import {
  HOOK_NAMES,
  type Hook,
  NF_ACCEPT,
  NF_DROP,
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_STOLEN,
  type Verdict,
} from "../netfilter/hooks.ts";
import { PACKET_HOST, type Skb } from "../skb.ts";
import { type IpvsConnection, type Timeout, touch } from "./connection.ts";
import type { Ipvs } from "./ipvs.ts";
import { isBalanced } from "./service.ts";

/**
 * Where IPVS sits (net/netfilter/ipvs/ip_vs_core.c: ip_vs_ops4), priorities of nat being -100 and 100:
 *
 *   INPUT     98 replies    99 requests
 *   OUTPUT   -99 replies   -98 requests
 *   FORWARD  100 replies
 *
 * A request is given its real server's address and sent on from where it is: through OUTPUT and POSTROUTING, as if made
 * here. Its connection is told what the answers will look like, so that nat may still masquerade it.
 */
export function hookOps(ipvs: Ipvs): HookOps[] {
  const place = (
    hook: Hook,
    priority: number,
    run: (ipvs: Ipvs, skb: Skb, hook: Hook) => Verdict,
  ): HookOps => ({
    hook,
    priority,
    translates: false,
    run: (skb, at) => run(ipvs, skb, at),
  });
  return [
    place(NF_INET_LOCAL_IN, 98, reply),
    place(NF_INET_LOCAL_IN, 99, request),
    place(NF_INET_LOCAL_OUT, -99, reply),
    place(NF_INET_LOCAL_OUT, -98, request),
    place(NF_INET_FORWARD, 100, reply),
  ];
}

/** `ip_vs_in_hook` */
function request(ipvs: Ipvs, skb: Skb, hook: Hook): Verdict {
  const p = skb.packet;
  ipvs.netns.clock.journal?.keep(ipvs);
  if (skb.ipvsProperty || skb.route === null || !isBalanced(p.protocol) || p.fragOffset !== 0)
    return NF_ACCEPT;
  if (skb.pktType !== PACKET_HOST && hook !== NF_INET_LOCAL_OUT) return NF_ACCEPT;
  let connection = ipvs.findIn(p);
  if (connection === null) {
    // tcp_conn_schedule: only a SYN begins a connection
    if (p.protocol === IPPROTO_TCP && (p.tcpFlags & (TCP_SYN | TCP_ACK | TCP_RST)) !== TCP_SYN)
      return NF_ACCEPT;
    const service = ipvs.findService(p);
    if (service === null) return NF_ACCEPT;
    connection = ipvs.connect(service, p);
    if (connection === null) return leave(ipvs, skb, hook);
  }
  follow(ipvs, connection, p);
  return transmit(ipvs, skb, hook, connection);
}

/** `ip_vs_leave`: no real server takes the packet. */
function leave({ netns }: Ipvs, skb: Skb, hook: Hook): Verdict {
  netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
  netns.drop(skb, "NETFILTER_DROP", "ip_vs_leave", { hook }, "the virtual server has no real server");
  return NF_DROP;
}

/** `ip_vs_nat_xmit`: the packet goes to its real server. */
function transmit(ipvs: Ipvs, skb: Skb, hook: Hook, connection: IpvsConnection): Verdict {
  const { netns } = ipvs;
  const { address } = connection.destination.destination;
  const route = ipRouteOutput(netns, address, 0);
  const stop = (reason: "IP_OUTNOROUTES" | "PKT_TOO_BIG" | "IP_INHDR"): Verdict => {
    netns.drop(skb, reason, "ip_vs_nat_xmit", { hook });
    return NF_DROP;
  };
  if (typeof route === "string") return stop("IP_OUTNOROUTES");
  const isLocal = route.type === RTN_LOCAL;
  if (!isLocal) {
    if (skb.packet.ttl <= 1) {
      netns.icmpSend(netns, skb, ICMP_TIME_EXCEEDED, 0, 0);
      return stop("IP_INHDR");
    }
    const mtu = netns.fib.mtu(route, address);
    if (skb.packet.df !== 0 && skb.gsoSize === 0 && ipTotalLength(skb.packet) > mtu) {
      netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
      return stop("PKT_TOO_BIG");
    }
    skb.packet.ttl--;
    skb.route = route;
  }
  translate(ipvs, skb, hook, "destination", connection);
  skb.ipvsProperty = true;
  updateConntrack(skb, connection);
  if (isLocal) return NF_ACCEPT;
  skb.ignoreDf = true;
  ipLocalOut(netns, skb);
  return NF_STOLEN;
}

/** `ip_vs_update_conntrack`: the answers will come from the real server. */
function updateConntrack(skb: Skb, { destination }: IpvsConnection): void {
  const { ct } = skb;
  if (ct === null || (ct.status & IPS_CONFIRMED) !== 0 || directionOf(skb.ctinfo) !== IP_CT_DIR_ORIGINAL)
    return;
  const { address, port } = destination.destination;
  ct.reply = { ...ct.reply, src: address, sport: port };
}

/** `ip_vs_out_hook`: what comes from a real server comes from the virtual one. */
function reply(ipvs: Ipvs, skb: Skb, hook: Hook): Verdict {
  const p = skb.packet;
  ipvs.netns.clock.journal?.keep(ipvs);
  if (skb.ipvsProperty || skb.route === null || p.fragOffset !== 0) return NF_ACCEPT;
  if (isIcmpError(p)) return replyError(ipvs, skb, hook);
  if (!isBalanced(p.protocol)) return NF_ACCEPT;
  const connection = ipvs.findOut(p);
  if (connection === null) return NF_ACCEPT;
  follow(ipvs, connection, p);
  translate(ipvs, skb, hook, "source", connection);
  return finishReply(ipvs, skb, hook);
}

/** `ip_vs_route_me_harder`: the way that fits the new source; the device that a bridged packet is on stays. */
function finishReply({ netns }: Ipvs, skb: Skb, hook: Hook): Verdict {
  skb.ipvsProperty = true;
  if (hook === NF_INET_LOCAL_IN || skb.route!.type === RTN_LOCAL) return NF_ACCEPT;
  const { dev } = skb;
  if (ipRouteMeHarder(netns, skb) !== null) {
    netns.drop(skb, "NETFILTER_DROP", "ip_vs_route_me_harder", { hook });
    return NF_DROP;
  }
  skb.dev = dev;
  return NF_ACCEPT;
}

/** `ip_vs_out_icmp`: an error about a request as its real server saw it is told as about the virtual server. */
function replyError(ipvs: Ipvs, skb: Skb, hook: Hook): Verdict {
  const quoted = skb.packet.inner;
  if (quoted === null || !isBalanced(quoted.protocol)) return NF_ACCEPT;
  ipvs.lookups++;
  const { protocol, src, sport, dst, dport } = quoted;
  const connection = ipvs.connections.findOut(protocol, dst, dport, src, sport, ipvs.netns.clock.nowUs);
  if (connection === null) return NF_ACCEPT;
  const { address, port } = connection.service;
  quoted.dst = address;
  quoted.dport = port;
  skb.packet.src = address;
  return finishReply(ipvs, skb, hook);
}

/** `dnat_handler` and `snat_handler`, told as a translation of nat is. */
function translate(
  { netns }: Ipvs,
  { packet, serial }: Skb,
  hook: Hook,
  manip: "source" | "destination",
  { service, destination }: IpvsConnection,
): void {
  const { recorder } = netns.network;
  const before = recorder === null ? null : packet.clone();
  if (manip === "destination") {
    packet.dst = destination.destination.address;
    packet.dport = destination.destination.port;
  } else {
    packet.src = service.address;
    packet.sport = service.port;
  }
  if (recorder === null || before === null) return;
  recorder.record({
    type: "nat",
    timeUs: netns.clock.nowUs,
    netns: netns.name,
    serial,
    hook: HOOK_NAMES[hook],
    manip,
    before,
    after: packet.clone(),
  });
}

/** `ip_vs_set_state`, as far as connections are counted and forgotten by it. */
function follow(ipvs: Ipvs, connection: IpvsConnection, p: Packet): void {
  const { nowUs, journal } = ipvs.netns.clock;
  journal?.keep(connection);
  journal?.keep(connection.destination);
  if (p.protocol === IPPROTO_UDP) touch(connection, "udp", false, nowUs);
  else if (p.protocol !== IPPROTO_TCP) touch(connection, "sctp", true, nowUs);
  else touch(connection, tcpTimeout(p.tcpFlags), isEstablished(p.tcpFlags), nowUs);
}

const isEstablished = (flags: number): boolean =>
  (flags & TCP_ACK) !== 0 && (flags & (TCP_SYN | TCP_FIN | TCP_RST)) === 0;

function tcpTimeout(flags: number): Timeout {
  if (flags & TCP_RST) return "reset";
  if (flags & TCP_SYN) return "syn";
  return flags & TCP_FIN ? "fin" : "established";
}
