import { routed } from "../../linux/networks.ts";
import { arpRequest, frame, ping, tcp, udp } from "../../linux/packets.ts";
import type { Situation } from "../step.ts";

const C = "10.0.0.1";
const S = "10.0.1.1";

/** Routes, sources, errors: what net/ipv4 decides. */
export const ROUTING: readonly Situation[] = [
  {
    name: "forwards, answers, and complains of a closed port",
    plan: routed(),
    steps: [
      { do: "send", in: "c", packet: ping(C, S) },
      { do: "serve", in: "s", protocol: "udp", at: "0.0.0.0:53", bytes: 5 },
      { do: "udp", in: "c", from: "0.0.0.0:4000", to: `${S}:53`, bytes: 20 },
      { do: "udp", in: "c", from: "0.0.0.0:4001", to: `${S}:54`, bytes: 20 },
      { do: "serve", in: "s", protocol: "tcp", at: "0.0.0.0:80" },
      { do: "connect", in: "c", from: "0.0.0.0:4002", to: `${S}:80` },
      { do: "connect", in: "c", from: "0.0.0.0:4003", to: `${S}:81` },
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:53`, 10, { tos: 0x28, ttl: 9 }) },
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:99`, 10, { tos: 0xb8 }) },
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:99`, 1000) },
      { do: "send", in: "c", packet: Object.assign(ping(C, S), { protocol: 250, payloadLength: 16 }) },
    ],
  },
  {
    name: "TTL at the router and at the end",
    plan: routed(),
    steps: [
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:99`, 10, { ttl: 1 }) },
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:99`, 10, { ttl: 2 }) },
      { do: "send", in: "c", packet: ping(C, "10.0.0.254", { ttl: 1 }) },
      { do: "send", in: "c", packet: ping(C, "10.0.1.254", { ttl: 1 }) },
      { do: "send", in: "c", packet: ping("10.0.0.1", "10.0.0.1", { ttl: 1 }) },
      { do: "send", in: "c", packet: tcp(`${C}:1`, `${S}:99`, "S", { ttl: 1 }) },
      { do: "send", in: "c", packet: tcp(`${C}:1`, `${S}:99`, "S", { ttl: 2 }) },
      { do: "send", in: "c", packet: tcp(`${C}:1`, `${S}:99`, "A", { ttl: 2, ack: 5 }) },
      { do: "send", in: "c", packet: tcp(`${C}:1`, `${S}:99`, "R", { ttl: 2 }) },
    ],
  },
  {
    name: "blackhole, unreachable, prohibit, no route: forwarded and local",
    plan: routed({
      r: {
        ip: [
          "route add blackhole 10.1.0.0/24",
          "route add unreachable 10.2.0.0/24",
          "route add prohibit 10.3.0.0/24",
        ],
      },
    }),
    steps: [
      ...["10.1.0.1", "10.2.0.1"].map(
        (to) => ({ do: "send", in: "c", packet: udp(`${C}:1`, `${to}:9`) }) as const,
      ),
      { do: "wait", ms: 1100 },
      { do: "send", in: "c", packet: udp(`${C}:1`, "10.3.0.1:9") },
      { do: "wait", ms: 1100 },
      { do: "send", in: "c", packet: udp(`${C}:1`, "10.4.0.1:9") },
      ...["10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1"].map(
        (to) => ({ do: "udp", in: "r", to: `${to}:9`, bytes: 1 }) as const,
      ),
    ],
  },
  {
    name: "errors are limited: six in a burst, two for missing routes",
    plan: routed(),
    steps: [
      ...Array.from(
        { length: 8 },
        () => ({ do: "send", in: "c", packet: udp(`${C}:1`, `${S}:9`, 1, { ttl: 1 }) }) as const,
      ),
      ...Array.from(
        { length: 4 },
        () => ({ do: "send", in: "s", packet: udp(`${S}:1`, "10.7.0.1:9") }) as const,
      ),
      { do: "wait", ms: 1000 },
      { do: "send", in: "s", packet: udp(`${S}:1`, "10.7.0.1:9") },
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:9`, 1, { ttl: 1 }) },
    ],
  },
  {
    name: "missing routes alone are limited to five in a burst when icmp_ratemask is 0",
    plan: routed({ r: { sysctl: { "net.ipv4.icmp_ratemask": 0 } } }),
    steps: [
      ...Array.from(
        { length: 7 },
        () => ({ do: "send", in: "s", packet: udp(`${S}:1`, "10.7.0.1:9") }) as const,
      ),
      ...Array.from(
        { length: 8 },
        () => ({ do: "send", in: "c", packet: udp(`${C}:1`, `${S}:9`, 1, { ttl: 1 }) }) as const,
      ),
    ],
  },
  {
    name: "no forwarding",
    plan: routed({ r: { sysctl: { "net.ipv4.ip_forward": 0 } } }),
    steps: [
      { do: "send", in: "c", packet: ping(C, S) },
      { do: "send", in: "c", packet: ping(C, "10.0.1.254") },
      { do: "send", in: "c", packet: ping(C, "10.9.9.9") },
    ],
  },
  {
    name: "a host that does not answer ARP",
    plan: routed(),
    steps: [
      { do: "udp", in: "c", from: "0.0.0.0:4000", to: "10.0.1.77:9", bytes: 3 },
      { do: "udp", in: "c", from: "0.0.0.0:4001", to: "10.0.0.77:9", bytes: 3 },
      { do: "send", in: "r", packet: udp("10.0.0.254:1", "10.0.1.77:9", 1) },
      { do: "wait", ms: 3300 },
      { do: "udp", in: "c", from: "0.0.0.0:4002", to: "10.0.1.77:9", bytes: 3 },
    ],
  },
  {
    name: "redirects",
    plan: {
      ...routed({ r: { ip: ["route add 10.5.0.0/24 via 10.0.0.1", "route add 10.6.0.9/32 dev c0"] } }),
    },
    steps: [
      { do: "ip", in: "c", words: "addr add 10.0.0.2/24 dev eth0" },
      { do: "send", in: "c", packet: udp("10.0.0.2:1", "10.5.0.1:9", 4, { ttl: 3 }) },
      { do: "send", in: "c", packet: udp("10.0.0.2:1", "10.5.0.1:9", 4, { ttl: 3 }) },
      { do: "send", in: "c", packet: udp("10.0.0.9:1", "10.5.0.2:9", 4, { ttl: 2 }) },
      { do: "send", in: "c", packet: udp("10.0.8.9:1", "10.5.0.2:9", 4, { ttl: 2 }) },
    ],
  },
  {
    name: "source selection with several addresses",
    plan: routed({
      c: {
        addresses: {
          eth0: ["10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/25", "10.8.0.1/24", "10.9.0.1/24 scope link"],
          lo: ["10.10.0.1/32"],
        },
        ip: [
          "route add 10.1.0.0/24 via 10.0.0.254 src 10.0.0.2",
          "route add 10.2.0.0/24 via 10.8.0.254",
          "route add 10.3.0.0/24 dev eth0",
        ],
      },
      r: { addresses: { c0: ["10.0.0.254/24", "10.8.0.254/24", "10.9.0.254/24"] } },
    }),
    steps: [
      ...[
        S,
        "10.0.0.254",
        "10.8.0.254",
        "10.9.0.254",
        "10.1.0.1",
        "10.2.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.10.0.1",
        "127.0.0.1",
        "127.5.5.5",
      ].map((to) => ({ do: "udp", in: "c", to: `${to}:9`, bytes: 1 }) as const),
      { do: "udp", in: "c", from: "10.9.0.1:4000", to: `${S}:9`, bytes: 1 },
      { do: "udp", in: "c", from: "10.10.0.1:4001", to: "10.0.0.254:9", bytes: 1 },
      { do: "udp", in: "c", from: "127.0.0.1:4002", to: "10.0.0.254:9", bytes: 1 },
      { do: "udp", in: "c", to: "10.3.0.1:9", bytes: 1 },
    ],
  },
  {
    name: "broadcasts",
    plan: routed(),
    steps: [
      { do: "send", in: "c", packet: ping(C, "10.0.0.255") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "10.0.0.255"), "1", "*") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "10.0.1.255"), "1", "2") },
      { do: "inject", at: "c:eth0", packet: frame(udp(`${C}:1`, "255.255.255.255:9"), "1", "*") },
      { do: "inject", at: "c:eth0", packet: frame(udp(`${C}:1`, "10.0.0.254:9"), "1", "*") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "10.0.0.254"), "1", "*") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, S), "1", "*") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "10.0.0.0"), "1", "2") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, S), "1", "9:9") },
    ],
  },
  {
    name: "martians",
    plan: routed(),
    steps: [
      ...(
        [
          ["127.0.0.1", S],
          [C, "127.0.0.1"],
          ["10.0.0.254", S],
          ["10.0.1.254", S],
          ["10.0.1.254", "10.0.0.254"],
          ["224.0.0.5", S],
          ["255.255.255.255", S],
          ["10.0.0.255", S],
          ["0.0.0.0", S],
          [C, "0.0.0.0"],
          ["0.1.2.3", "10.0.0.254"],
          ["10.0.1.1", S],
          ["10.77.0.1", S],
          ["240.0.0.1", S],
        ] as const
      ).map(
        ([src, dst]) => ({ do: "inject", at: "c:eth0", packet: frame(ping(src, dst), "1", "2") }) as const,
      ),
    ],
  },
  ...[0, 1, 2].map(
    (mode): Situation => ({
      name: `rp_filter ${mode}`,
      plan: routed({
        r: {
          sysctl: { "net.ipv4.conf.all.rp_filter": mode },
          ip: [
            "route add 10.4.0.0/24 via 10.0.1.1",
            "route add unreachable 10.6.0.0/24",
            "route add default via 10.0.1.1",
          ],
        },
      }),
      steps: [
        { do: "send", in: "c", packet: ping(C, S) },
        { do: "send", in: "c", packet: ping("10.4.0.1", S) },
        { do: "send", in: "c", packet: ping("10.0.1.9", S) },
        { do: "send", in: "c", packet: ping("10.6.0.1", S) },
        { do: "send", in: "c", packet: ping("10.99.0.1", S) },
        { do: "send", in: "c", packet: ping("10.99.0.1", "10.0.0.254") },
        { do: "send", in: "c", packet: ping("10.0.1.254", "10.0.0.254") },
      ],
    }),
  ),
  {
    name: "rp_filter 1 and 2 without another route; the device's own setting",
    plan: routed({ r: { sysctl: { "net.ipv4.conf.c0.rp_filter": 2, "net.ipv4.conf.s0.rp_filter": 1 } } }),
    steps: [
      { do: "send", in: "c", packet: ping("10.99.0.1", S) },
      { do: "send", in: "c", packet: ping("10.0.1.9", S) },
      { do: "send", in: "s", packet: ping("10.99.0.1", C) },
      { do: "send", in: "s", packet: ping("10.0.0.9", C) },
      { do: "send", in: "s", packet: ping("10.0.1.9", C) },
    ],
  },
  {
    name: "accept_local and route_localnet",
    plan: routed({
      r: { sysctl: { "net.ipv4.conf.c0.accept_local": 1, "net.ipv4.conf.c0.route_localnet": 1 } },
    }),
    steps: [
      { do: "inject", at: "c:eth0", packet: frame(ping("10.0.1.254", S), "1", "2") },
      { do: "inject", at: "c:eth0", packet: frame(ping("10.0.0.254", "10.0.1.254"), "1", "2") },
      { do: "inject", at: "c:eth0", packet: frame(ping("127.0.0.1", S), "1", "2") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "127.0.0.1"), "1", "2") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "127.9.9.9"), "1", "2") },
    ],
  },
  {
    name: "longest prefix, metrics, onlink, and a route that goes with its device",
    plan: routed({
      c: {
        ip: [
          "route add 10.1.0.0/16 via 10.0.0.254",
          "route add blackhole 10.1.2.0/24",
          "route add 10.1.2.128/25 via 10.0.0.254",
          "route add 10.2.0.0/16 via 10.0.0.253 metric 20",
          "route add 10.2.0.0/16 via 10.0.0.254 metric 10",
          "route add 10.3.0.0/16 via 172.16.0.1 dev eth0 onlink",
          "neigh replace 172.16.0.1 lladdr 02:00:00:00:00:02 dev eth0",
        ],
      },
    }),
    steps: [
      ...["10.1.1.1", "10.1.2.1", "10.1.2.129", "10.2.0.1", "10.3.0.1"].map(
        (to) => ({ do: "udp", in: "c", to: `${to}:9`, bytes: 1 }) as const,
      ),
      { do: "ip", in: "c", words: "link set eth0 down" },
      { do: "udp", in: "c", to: "10.1.1.1:9", bytes: 1 },
      { do: "udp", in: "c", to: "10.0.0.1:9", bytes: 1 },
      { do: "ip", in: "c", words: "link set eth0 up" },
      { do: "udp", in: "c", to: "10.1.1.1:9", bytes: 1 },
      { do: "udp", in: "c", to: "10.0.0.254:9", bytes: 1 },
    ],
  },
  {
    name: "ARP: who is answered",
    plan: routed({
      r: { addresses: { lo: ["10.44.0.1/32"] }, sysctl: { "net.ipv4.conf.s0.arp_ignore": 1 } },
    }),
    steps: [
      ...["10.0.0.254", "10.0.1.254", "10.44.0.1", "127.0.0.1", "10.0.0.77", "10.0.1.1", "10.0.0.255"].map(
        (target) => ({ do: "inject", at: "c:eth0", packet: arpRequest(C, "1", target) }) as const,
      ),
      { do: "inject", at: "c:eth0", packet: arpRequest("0.0.0.0", "1", "10.0.0.254") },
      { do: "inject", at: "c:eth0", packet: arpRequest("10.0.0.254", "1", "10.0.0.254") },
      { do: "inject", at: "c:eth0", packet: arpRequest("172.16.5.5", "1", "10.0.0.254") },
      { do: "inject", at: "s:eth0", packet: arpRequest(S, "4", "10.0.1.254") },
      { do: "inject", at: "s:eth0", packet: arpRequest(S, "4", "10.0.0.254") },
      { do: "inject", at: "s:eth0", packet: arpRequest(S, "4", "10.44.0.1") },
      { do: "send", in: "r", packet: udp("10.0.1.254:1", `${S}:9`, 1) },
    ],
  },
  {
    name: "the other end of a veth goes down and comes back",
    plan: routed(),
    steps: [
      { do: "send", in: "c", packet: ping(C, S) },
      { do: "ip", in: "s", words: "link set eth0 down" },
      { do: "wait", ms: 1500 },
      { do: "send", in: "c", packet: ping(C, S) },
      { do: "send", in: "r", packet: ping("10.0.1.254", S) },
      { do: "ip", in: "s", words: "link set eth0 up" },
      { do: "wait", ms: 1500 },
      { do: "send", in: "c", packet: ping(C, S) },
    ],
  },
];
