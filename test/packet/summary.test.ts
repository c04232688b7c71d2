import { describe, expect, it } from "vitest";
import { parseIpv4, parseMac } from "../../src/packet/address.ts";
import { encapsulatedLength } from "../../src/packet/codec/index.ts";
import {
  ARPOP_REPLY,
  ARPOP_REQUEST,
  ETH_P_ARP,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCPOPTS_ESTABLISHED,
  TCPOPTS_SYN,
} from "../../src/packet/packet.ts";
import { summarize } from "../../src/packet/summary.ts";
import { fragmentsOf, packetOf } from "./arbitraries.ts";

const from = (src: string, dst: string, fields: Partial<Packet> = {}): Packet =>
  packetOf({ src: parseIpv4(src), dst: parseIpv4(dst), ...fields });

const syn = from("192.168.97.2", "192.168.25.197", {
  protocol: IPPROTO_TCP,
  sport: 58022,
  dport: 80,
  df: 1,
  tcpFlags: TCP_SYN,
  tcpOptions: TCPOPTS_SYN,
  mss: 1460,
});
const segment = (tcpFlags: number, payloadLength = 0): Packet =>
  Object.assign(syn.clone(), { tcpFlags, payloadLength, tcpOptions: TCPOPTS_ESTABLISHED });
const query = from("192.168.96.99", "192.168.0.10", {
  protocol: IPPROTO_UDP,
  sport: 35485,
  dport: 53,
  payloadLength: 2000 - 28,
});
const tunnelled = (inner: Packet, vni: number, dport: number): Packet =>
  from("10.1.96.232", "10.1.96.233", {
    protocol: IPPROTO_UDP,
    sport: 8285,
    dport,
    df: 1,
    inner,
    vni,
    payloadLength: encapsulatedLength(inner, vni),
  });
const icmp = (icmpType: number, icmpCode: number, fields: Partial<Packet> = {}): Packet =>
  from("192.168.97.1", "192.168.97.2", { protocol: IPPROTO_ICMP, icmpType, icmpCode, ...fields });
const arp = (arpOp: number, src: string, dst: string): Packet =>
  from(src, dst, { etherType: ETH_P_ARP, arpOp, arpSenderMac: parseMac("02:42:0a:01:60:01") });
const pieces = fragmentsOf(query, 1480);
const ping = icmp(8, 0, { payloadLength: 2000 });

const cases: [Packet, string][] = [
  [syn, "tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 60 DF [S]"],
  [segment(TCP_SYN | TCP_ACK), "tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 52 DF [SA]"],
  [segment(TCP_RST | TCP_ACK), "tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 52 DF [RA]"],
  [segment(TCP_FIN | TCP_ACK), "tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 52 DF [FA]"],
  [segment(TCP_PSH | TCP_ACK, 5), "tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 57 DF [PA]"],
  [segment(0), "tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 52 DF [none]"],
  [query, "udp 192.168.96.99:35485 > 192.168.0.10:53 ttl 64 len 2000"],
  [pieces[0]!, "udp 192.168.96.99:35485 > 192.168.0.10:53 ttl 64 len 1500 frag@0+"],
  [pieces[1]!, "udp 192.168.96.99 > 192.168.0.10 ttl 64 len 520 frag@1480"],
  [fragmentsOf(query, 800)[1]!, "udp 192.168.96.99 > 192.168.0.10 ttl 64 len 820 frag@800+"],
  [fragmentsOf(syn, 32)[0]!, "tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 52 frag@0+"],
  [fragmentsOf(ping, 1480)[0]!, "icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 1500 frag@0+ type 8/0"],
  [fragmentsOf(ping, 1480)[1]!, "icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 548 frag@1480"],
  [
    tunnelled(syn, -1, 8285),
    "udp 10.1.96.232:8285 > 10.1.96.233:8285 ttl 64 len 88 DF {tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 60 DF [S]}",
  ],
  [
    tunnelled(syn, 1, 8472),
    "udp 10.1.96.232:8285 > 10.1.96.233:8472 ttl 64 len 110 DF {tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 60 DF [S]}",
  ],
  [
    tunnelled(arp(ARPOP_REQUEST, "10.1.96.233", "10.1.96.1"), 1, 8472),
    "udp 10.1.96.232:8285 > 10.1.96.233:8472 ttl 64 len 78 DF {arp who-has 10.1.96.1 tell 10.1.96.233}",
  ],
  [icmp(8, 0), "icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 28 type 8/0"],
  [icmp(0, 0, { payloadLength: 10 }), "icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 38 type 0/0"],
  [
    icmp(11, 0, { inner: syn, payloadLength: 60 }),
    "icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 88 type 11/0",
  ],
  [icmp(3, 3, { inner: syn, payloadLength: 28 }), "icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 56 type 3/3"],
  [
    icmp(3, 4, { inner: query, payloadLength: 548, icmpInfo: 1472 }),
    "icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 576 type 3/4 mtu 1472",
  ],
  [
    from("10.1.96.10", "10.1.96.232", { protocol: IPPROTO_SCTP, sport: 1, dport: 2, payloadLength: 20 }),
    "sctp 10.1.96.10:1 > 10.1.96.232:2 ttl 64 len 52",
  ],
  [from("10.1.96.10", "10.1.96.232", { protocol: 47 }), "ip-proto-47 10.1.96.10 > 10.1.96.232 ttl 64 len 20"],
  [arp(ARPOP_REQUEST, "10.1.96.233", "10.1.96.1"), "arp who-has 10.1.96.1 tell 10.1.96.233"],
  [arp(ARPOP_REPLY, "10.1.96.1", "10.1.96.233"), "arp 10.1.96.1 is-at 02:42:0a:01:60:01"],
  [arp(9, "10.1.96.1", "10.1.96.233"), "arp op 9 10.1.96.1 > 10.1.96.233"],
];

describe("summarize", () => {
  it.each(cases)("%#", (packet, line) => {
    expect(summarize(packet)).toBe(line);
  });
});
