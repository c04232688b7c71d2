import {
  ICMP_DEST_UNREACH,
  ICMP_HOST_UNREACH,
  ICMP_NET_UNREACH,
  ICMP_PORT_UNREACH,
  ICMP_PROT_UNREACH,
  IPPROTO_TCP,
  Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "../../packet/packet.ts";
import { devQueueXmit } from "../device/transmit.ts";
import { attach } from "../ip/icmp.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteMeHarder } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import { Skb } from "../skb.ts";
import { setClosing } from "./conntrack/tcp.ts";
import { RTN_BROADCAST, RTN_MULTICAST } from "./context.ts";
import type { RejectTarget } from "./rules/target/target.ts";

const ICMP_CODES: Record<Exclude<RejectTarget["with"], "tcp-reset">, number> = {
  "icmp-net-unreachable": ICMP_NET_UNREACH,
  "icmp-host-unreachable": ICMP_HOST_UNREACH,
  "icmp-proto-unreachable": ICMP_PROT_UNREACH,
  "icmp-port-unreachable": ICMP_PORT_UNREACH,
  "icmp-net-prohibited": 9,
  "icmp-host-prohibited": 10,
  "icmp-admin-prohibited": 13,
};

/** `reject_tg` (net/ipv4/netfilter/ipt_REJECT.c): tells the sender of a packet that is being refused. */
export function sendReject(netns: Netns, skb: Skb, target: RejectTarget): void {
  if (target.with === "tcp-reset") sendReset(netns, skb);
  else if (skb.packet.fragOffset === 0)
    netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, ICMP_CODES[target.with], 0);
}

/** `nf_send_reset` (net/ipv4/netfilter/nf_reject_ipv4.c): a reset in the name of whom the packet was for. */
function sendReset(netns: Netns, about: Skb): void {
  const old = about.packet;
  if (old.protocol !== IPPROTO_TCP || old.tcpFlags & TCP_RST || old.fragOffset !== 0 || about.route === null)
    return;
  if (about.route.type === RTN_BROADCAST || about.route.type === RTN_MULTICAST) return;
  const p = new Packet();
  p.protocol = IPPROTO_TCP;
  p.src = old.dst;
  p.dst = old.src;
  p.sport = old.dport;
  p.dport = old.sport;
  p.df = 1;
  p.ttl = netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
  if (old.tcpFlags & TCP_ACK) {
    p.tcpFlags = TCP_RST;
    p.seq = old.ack;
  } else {
    p.tcpFlags = TCP_RST | TCP_ACK;
    p.ack =
      (old.seq + old.payloadLength + (old.tcpFlags & TCP_SYN ? 1 : 0) + (old.tcpFlags & TCP_FIN ? 1 : 0)) >>>
      0;
  }
  const skb = new Skb(p);
  if (ipRouteMeHarder(netns, skb) !== null) return;
  attach(skb, about);
  if (about.ct !== null) setClosing(about.ct, netns.sysctl, netns.clock.nowUs);
  netns.originate(skb, "reset", about.serial);
  const port = about.nfBridge?.physindev ?? null;
  if (port === null) {
    ipLocalOut(netns, skb);
    return;
  }
  // a bridged packet's reset goes straight back out of the port, with the MACs turned round
  p.dmac = old.smac;
  p.smac = old.dmac;
  skb.dev = port;
  devQueueXmit(skb);
}
