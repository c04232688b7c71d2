import { parseIpv4 } from "../../../src/packet/address.ts";
import { ICMP_ECHO, ICMP_ECHOREPLY, IPPROTO_ICMP, Packet } from "../../../src/packet/packet.ts";
import { bridged, routed } from "../../linux/networks.ts";
import { frame, ping, tcp, udp } from "../../linux/packets.ts";
import type { Situation, Step } from "../step.ts";

const C = "10.0.0.1";
const S = "10.0.1.1";
const VIP = "10.96.0.1";

const send = (at: string, packet: Packet): Step => ({ do: "send", in: at, packet });

/** An ICMP error about a packet, as a router at `from` would send it. */
function errorAbout(
  about: Packet,
  from: string,
  type: number,
  code: number,
  fields: Partial<Packet> = {},
): Packet {
  return Object.assign(new Packet(), {
    id: 1,
    protocol: IPPROTO_ICMP,
    src: parseIpv4(from),
    dst: about.src,
    icmpType: type,
    icmpCode: code,
    inner: about,
    payloadLength: 28,
    ...fields,
  });
}

/** Address translation and connection tracking on a router. */
export const NAT: readonly Situation[] = [
  {
    name: "DNAT: there and back, closed ports, errors on the way in the name of the service",
    plan: routed({
      r: {
        rules: {
          nat: [
            `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 53 -j DNAT --to-destination ${S}:5353`,
            `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 54 -j DNAT --to-destination 10.0.1.99:54`,
            `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 55 -j DNAT --to-destination 10.77.0.1`,
            `-A PREROUTING -d ${VIP}/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination ${S}:8080`,
            `-A PREROUTING -d ${VIP}/32 -p tcp -m tcp --dport 81 -j DNAT --to-destination ${S}`,
            `-A PREROUTING -d ${VIP}/32 -p icmp -j DNAT --to-destination ${S}`,
          ],
        },
      },
    }),
    inspect: ["r"],
    steps: [
      { do: "serve", in: "s", protocol: "udp", at: "0.0.0.0:5353", bytes: 3 },
      { do: "serve", in: "s", protocol: "tcp", at: "0.0.0.0:8080" },
      { do: "udp", in: "c", to: `${VIP}:53`, bytes: 3 },
      { do: "connect", in: "c", from: "0.0.0.0:4000", to: `${VIP}:80` },
      { do: "connect", in: "c", from: "0.0.0.0:4001", to: `${VIP}:81` },
      send("c", udp(`${C}:9`, `${VIP}:53`, 3, { ttl: 1 })),
      send("c", ping(C, VIP)),
      send("c", udp(`${C}:10`, `${VIP}:55`)),
      { do: "udp", in: "c", to: `${VIP}:54`, bytes: 3 },
      { do: "wait", ms: 3200 },
    ],
  },
  {
    name: "ICMP errors from behind and before a translation",
    plan: routed({
      r: {
        rules: {
          nat: [
            `-A PREROUTING -d ${VIP}/32 -p udp -j DNAT --to-destination ${S}:53`,
            "-A POSTROUTING -o s0 -j SNAT --to-source 10.0.1.200",
          ],
          filter: [
            "-A FORWARD -m conntrack --ctstate INVALID",
            "-A FORWARD -m conntrack --ctstate RELATED",
            "-A FORWARD -m conntrack --ctstate NEW",
          ],
        },
        ip: ["addr add 10.0.1.200/32 dev s0"],
      },
    }),
    inspect: ["r"],
    steps: [
      send("c", udp(`${C}:1000`, `${VIP}:99`, 30)),
      send("s", errorAbout(udp("10.0.1.200:1000", `${S}:53`, 30, { ttl: 60 }), S, 3, 13)),
      send("s", errorAbout(udp("10.0.1.200:1000", `${S}:53`, 30, { ttl: 60 }), "10.0.1.50", 11, 0)),
      send(
        "s",
        errorAbout(udp("10.0.1.200:1000", `${S}:53`, 30, { ttl: 60 }), "10.0.1.50", 3, 4, { icmpInfo: 1400 }),
      ),
      send(
        "s",
        errorAbout(udp("10.0.1.200:1000", `${S}:53`, 30, { ttl: 60 }), "10.0.1.50", 5, 1, {
          icmpInfo: parseIpv4("10.0.1.60"),
        }),
      ),
      send("s", errorAbout(udp("10.0.1.200:1001", `${S}:53`, 30, { ttl: 60 }), S, 3, 13)),
      // about an answer: from the client's side
      send("s", udp(`${S}:53`, "10.0.1.200:1000", 5)),
      send("c", errorAbout(udp(`${VIP}:99`, `${C}:1000`, 5, { ttl: 60 }), C, 3, 3)),
      send("c", errorAbout(udp(`${VIP}:99`, `${C}:1000`, 5, { ttl: 60 }), "10.0.0.77", 3, 2)),
      // quotes a packet that goes the same way as the error
      { ...send("c", errorAbout(udp(`${C}:1000`, `${VIP}:99`, 5, { ttl: 60 }), C, 3, 3)) },
    ],
  },
  {
    name: "MASQUERADE and SNAT: addresses, ports kept, clashes in narrow ranges",
    plan: routed({
      r: {
        addresses: { s0: ["10.0.1.253/24", "10.0.1.254/24", "10.5.0.1/24"] },
        ip: [
          "route add 10.6.0.0/16 via 10.5.0.9",
          "route add 10.7.0.0/16 dev s0 src 10.5.0.1",
          "neigh replace 10.5.0.9 lladdr 02:00:00:00:00:04 dev s0",
        ],
        rules: {
          nat: [
            "-A POSTROUTING -p udp -m udp --dport 1000 -j SNAT --to-source 10.0.1.253:7000",
            "-A POSTROUTING -p udp -m udp --dport 1001 -j SNAT --to-source 10.0.1.253:7000-7001",
            "-A POSTROUTING -p icmp -d 10.0.1.7/32 -j SNAT --to-source 10.0.1.253",
            "-A POSTROUTING -o s0 -j MASQUERADE",
          ],
        },
      },
      s: { rules: { filter: ["-A INPUT -p udp -j DROP"] } },
    }),
    inspect: ["r"],
    steps: [
      send("c", udp(`${C}:2000`, `${S}:9`)),
      send("c", udp(`${C}:2000`, "10.5.0.9:9")),
      send("c", udp(`${C}:2000`, "10.6.0.9:9")),
      send("c", udp(`${C}:2000`, "10.7.0.9:9")),
      send("c", udp(`${C}:2001`, `${S}:1000`)),
      send("c", udp(`${C}:2002`, `${S}:1000`)),
      send("c", udp(`${C}:2003`, "10.5.0.9:1000")),
      send("c", udp(`${C}:7001`, `${S}:1001`)),
      send("c", ping(C, S)),
      send("c", ping(C, "10.0.1.7")),
      send("c", tcp(`${C}:22`, `${S}:80`, "S")),
      send("c", Object.assign(ping(C, S), { protocol: 250, payloadLength: 16 })),
      send("r", udp("10.0.0.254:77", `${S}:9`)),
      send("r", udp("0.0.0.0:78", `${S}:9`)),
    ],
  },
  {
    name: "the kernel's choice among a range of addresses",
    plan: routed({
      c: { addresses: { eth0: [`${C}/24`, "10.0.0.2/24", "10.0.0.3/24", "10.0.0.4/24"] } },
      r: {
        rules: {
          nat: [
            "-A PREROUTING -p udp -d 10.96.0.0/16 -j DNAT --to-destination 10.0.1.10-10.0.1.19",
            "-A PREROUTING -p udp -d 10.97.0.0/16 -j DNAT --to-destination 10.0.1.10-10.0.1.19 --persistent",
            "-A POSTROUTING -p udp -d 10.0.1.1/32 -j SNAT --to-source 10.0.1.100-10.0.1.163",
            "-A POSTROUTING -p udp -d 10.0.1.2/32 -j SNAT --to-source 10.0.1.100-10.0.1.163 --persistent",
          ],
        },
        ip: [2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map(
          (n) => `neigh replace 10.0.1.${n} lladdr 02:00:00:00:00:04 dev s0`,
        ),
      },
      s: { rules: { filter: ["-A INPUT -p udp -j DROP"] } },
    }),
    inspect: ["r"],
    steps: [
      ...[1, 2, 3, 4].flatMap((i) =>
        ["10.96.0.1", "10.96.0.2", "10.97.0.1", "10.97.0.2", "10.0.1.1", "10.0.1.2"].map((to, j) =>
          send("c", udp(`10.0.0.${i}:${3000 + 10 * i + j}`, `${to}:9`)),
        ),
      ),
      send("c", udp("10.0.0.1:3014", "10.0.1.1:10")),
      send("c", udp("10.0.0.1:3002", "10.0.1.1:10")),
    ],
  },
  {
    name: "OUTPUT: DNAT reroutes, REDIRECT, loopback destinations and sources",
    plan: routed({
      r: {
        sysctl: { "net.ipv4.conf.s0.route_localnet": 1 },
        rules: {
          nat: [
            `-A OUTPUT -d ${VIP}/32 -p udp -m udp --dport 1 -j DNAT --to-destination ${S}:9`,
            `-A OUTPUT -d ${VIP}/32 -p udp -m udp --dport 2 -j DNAT --to-destination ${C}:9`,
            `-A OUTPUT -d ${VIP}/32 -p udp -m udp --dport 3 -j DNAT --to-destination 127.0.0.1:9`,
            `-A OUTPUT -d 127.0.0.1/32 -p udp -m udp --dport 4 -j DNAT --to-destination ${C}:9`,
            `-A OUTPUT -d 127.0.0.1/32 -p udp -m udp --dport 5 -j DNAT --to-destination ${S}:9`,
            `-A OUTPUT -d 127.0.0.1/32 -p udp -m udp --dport 6 -j DNAT --to-destination 10.0.0.254:9`,
            `-A OUTPUT -d ${VIP}/32 -p udp -m udp --dport 7 -j REDIRECT --to-ports 9`,
            `-A OUTPUT -d ${VIP}/32 -p udp -m udp --dport 8 -j DNAT --to-destination 10.99.0.1:9`,
            `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 7 -j REDIRECT --to-ports 9`,
            `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 3 -j DNAT --to-destination 127.0.0.1:9`,
            "-A POSTROUTING -s 127.0.0.1/32 -o s0 -j MASQUERADE",
          ],
        },
        ip: [`route add ${VIP}/32 via ${S}`],
      },
    }),
    inspect: ["r"],
    steps: [
      ...[1, 2, 3, 7, 8].map((p): Step => ({ do: "udp", in: "r", to: `${VIP}:${p}`, bytes: 4 })),
      ...[4, 5, 6].map((p): Step => ({ do: "udp", in: "r", to: `127.0.0.1:${p}`, bytes: 4 })),
      send("c", udp(`${C}:1`, `${VIP}:7`)),
      send("c", udp(`${C}:1`, `${VIP}:3`)),
      send("s", udp(`${S}:1`, `${VIP}:3`)),
      { do: "connect", in: "r", from: "0.0.0.0:4000", to: "127.0.0.1:6" },
    ],
  },
  {
    name: "OUTPUT sees the old device, POSTROUTING the new one; a mark reroutes nothing here",
    plan: routed({
      r: {
        rules: {
          mangle: [
            "-A OUTPUT -d 10.96.0.1/32 -j MARK --set-mark 5",
            "-A POSTROUTING -o c0",
            "-A POSTROUTING -o s0",
          ],
          nat: [`-A OUTPUT -d ${VIP}/32 -j DNAT --to-destination ${C}`],
          filter: ["-A OUTPUT -o s0", "-A OUTPUT -o c0", "-A INPUT -m mark --mark 5"],
        },
        ip: [`route add ${VIP}/32 via ${S}`],
      },
    }),
    inspect: ["r"],
    steps: [{ do: "udp", in: "r", to: `${VIP}:9`, bytes: 4 }, send("r", ping("0.0.0.0", VIP))],
  },
  {
    name: "hairpin: DNAT back to where it came from, with and without masquerade",
    plan: routed({
      c: { addresses: { eth0: [`${C}/24`, "10.0.0.2/24"] } },
      r: {
        rules: {
          nat: [
            `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 1 -j DNAT --to-destination ${C}:9`,
            `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 2 -j DNAT --to-destination 10.0.0.2:9`,
            "-A POSTROUTING -d 10.0.0.0/24 -s 10.0.0.0/24 -p udp -m udp --sport 77 -j MASQUERADE",
          ],
        },
      },
    }),
    inspect: ["r"],
    steps: [
      send("c", udp(`${C}:77`, `${VIP}:1`)),
      send("c", udp(`${C}:78`, `${VIP}:1`)),
      send("c", udp(`${C}:77`, `${VIP}:2`)),
      send("c", udp(`${C}:78`, `${VIP}:2`)),
    ],
  },
  {
    name: "a port that another connection uses is not kept",
    plan: routed({
      c: { addresses: { eth0: [`${C}/24`, "10.0.0.2/24"] } },
      r: { rules: { nat: ["-A POSTROUTING -o s0 -p udp -j SNAT --to-source 10.0.1.254:7000-7001"] } },
    }),
    inspect: ["r"],
    steps: [
      send("c", udp(`${C}:7000`, `${S}:9`)),
      send("c", udp("10.0.0.2:7000", `${S}:9`)),
      send("c", udp("10.0.0.2:7001", `${S}:10`)),
      send("c", udp(`${C}:7003`, `${S}:9`)),
    ],
  },
  {
    name: "NOTRACK, INVALID, and what is never tracked",
    plan: routed({
      r: {
        rules: {
          raw: ["-A PREROUTING -p udp -m udp --dport 53 -j NOTRACK"],
          nat: [
            `-A PREROUTING -p udp -j DNAT --to-destination ${S}:9`,
            `-A PREROUTING -p tcp -j DNAT --to-destination ${S}:9`,
          ],
          filter: ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"].flatMap((state) => [
            `-A INPUT -m conntrack --ctstate ${state}`,
            `-A FORWARD -m conntrack --ctstate ${state}`,
            `-A OUTPUT -m conntrack --ctstate ${state}`,
          ]),
        },
      },
    }),
    inspect: ["r"],
    steps: [
      send("c", udp(`${C}:1`, `${S}:53`)),
      send("c", udp(`${C}:1`, `${S}:54`)),
      send("c", tcp(`${C}:1`, "10.0.1.5:80", "A", { ack: 9 })),
      send("c", tcp(`${C}:2`, "10.0.1.5:80", "SF")),
      send("c", tcp(`${C}:3`, "10.0.1.5:80", "R")),
      send("c", tcp(`${C}:4`, "10.0.1.5:80", "FA", { ack: 9 })),
      send("c", tcp(`${C}:5`, "10.0.1.5:80", "SA", { ack: 9 })),
      send("c", ping(C, S, { icmpType: ICMP_ECHOREPLY })),
      send("c", ping(C, S, { icmpType: ICMP_ECHO, ttl: 1 })),
    ],
  },
  {
    name: "REJECT of every kind, in INPUT, FORWARD and OUTPUT",
    plan: routed({
      r: {
        rules: {
          filter: [
            ...(
              [
                [1, "icmp-net-unreachable"],
                [2, "icmp-host-unreachable"],
                [3, "icmp-proto-unreachable"],
                [4, "icmp-port-unreachable"],
                [5, "icmp-net-prohibited"],
                [6, "icmp-host-prohibited"],
                [7, "icmp-admin-prohibited"],
                [8, "tcp-reset"],
              ] as const
            ).flatMap(([port, kind]) =>
              ["INPUT", "FORWARD", "OUTPUT"].map(
                (chain) => `-A ${chain} -p tcp -m tcp --dport ${port} -j REJECT --reject-with ${kind}`,
              ),
            ),
            "-A FORWARD -p udp -j REJECT --reject-with icmp-port-unreachable",
            "-A OUTPUT -p udp -m udp --dport 9 -j REJECT --reject-with icmp-port-unreachable",
            "-A INPUT -i lo -m conntrack --ctstate RELATED",
          ],
        },
      },
    }),
    inspect: ["r"],
    steps: [
      ...[1, 2, 3, 4, 5, 6].map((p) => send("c", tcp(`${C}:${p}`, `${S}:${p}`, "S"))),
      ...[7, 8].map((p) => send("s", tcp(`${S}:${p}`, `${C}:${p}`, "S"))),
      send("s", tcp(`${S}:9`, `${C}:8`, "A", { ack: 77 })),
      send("s", tcp(`${S}:9`, `${C}:8`, "FA", { ack: 77, payloadLength: 10 })),
      send("s", tcp(`${S}:9`, `${C}:8`, "R")),
      send("s", tcp(`${S}:8`, "10.0.1.254:8", "S")),
      send("s", tcp(`${S}:7`, "10.0.0.254:7", "S")),
      { do: "wait", ms: 1000 },
      { do: "connect", in: "r", from: "0.0.0.0:4000", to: `${S}:8` },
      { do: "connect", in: "r", from: "0.0.0.0:4001", to: `${S}:4` },
      { do: "udp", in: "r", to: `${S}:9`, bytes: 2 },
    ],
  },
  {
    name: "addrtype",
    plan: routed({
      r: {
        addresses: { lo: ["10.44.0.1/32"] },
        ip: [
          "route add unreachable 10.45.0.0/24",
          "route add blackhole 10.46.0.0/24",
          "route add prohibit 10.47.0.0/24",
        ],
        rules: {
          mangle: [
            "UNICAST",
            "LOCAL",
            "BROADCAST",
            "MULTICAST",
            "UNREACHABLE",
            "BLACKHOLE",
            "PROHIBIT",
            "UNSPEC",
          ].flatMap((t) => [
            `-A PREROUTING -m addrtype --dst-type ${t}`,
            `-A PREROUTING -m addrtype --src-type ${t}`,
            ...(t === "LOCAL" || t === "UNICAST" || t === "BROADCAST"
              ? [
                  `-A PREROUTING -m addrtype --dst-type ${t} --limit-iface-in`,
                  `-A FORWARD -m addrtype --dst-type ${t} --limit-iface-out`,
                ]
              : []),
          ]),
        },
      },
    }),
    inspect: ["r"],
    steps: [
      ...[
        S,
        "10.0.0.254",
        "10.0.1.254",
        "10.44.0.1",
        "10.45.0.1",
        "10.46.0.1",
        "10.47.0.1",
        "10.0.0.255",
        "10.0.1.255",
        "10.0.0.77",
        "10.99.9.9",
        "127.0.0.1",
      ].map((to): Step => ({ do: "inject", at: "c:eth0", packet: frame(ping(C, to), "1", "2") })),
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "224.0.0.9"), "1", "*") },
      { do: "inject", at: "c:eth0", packet: frame(ping(C, "255.255.255.255"), "1", "*") },
      { do: "inject", at: "c:eth0", packet: frame(ping("0.0.0.0", "255.255.255.255"), "1", "*") },
    ],
  },
  {
    name: "local DNAT to another of the node's addresses",
    plan: routed({
      r: {
        rules: {
          nat: [
            "-A PREROUTING -d 10.0.0.254/32 -p udp -m udp --dport 80 -j DNAT --to-destination 10.0.1.254:81",
            "-A OUTPUT -d 10.0.0.254/32 -p udp -m udp --dport 80 -j DNAT --to-destination 10.0.1.254:81",
            "-A INPUT -p udp -m udp --dport 81 -j SNAT --to-source 10.200.0.1",
          ],
        },
      },
    }),
    inspect: ["r"],
    steps: [
      { do: "serve", in: "r", protocol: "udp", at: "0.0.0.0:81", bytes: 2 },
      { do: "udp", in: "c", to: "10.0.0.254:80", bytes: 2 },
      { do: "udp", in: "r", to: "10.0.0.254:80", bytes: 2 },
      { do: "udp", in: "c", to: "10.0.1.254:82", bytes: 2 },
    ],
  },
];

/** The same rules on a bridge, with br_netfilter. */
export const BRIDGE: readonly Situation[] = [
  ...[0, 1].map(
    (call): Situation => ({
      name: `a bridge learns, floods, and passes up (bridge-nf-call-iptables ${call})`,
      plan: bridged({
        n: {
          sysctl: { "net.bridge.bridge-nf-call-iptables": call },
          rules: {
            filter: [
              "-A FORWARD -m conntrack --ctstate NEW",
              "-A FORWARD -i br0 -o br0",
              "-A INPUT -i br0",
              "-A FORWARD -m physdev --physdev-in p1",
            ],
          },
        },
      }),
      inspect: ["n"],
      steps: [
        send("a", ping("10.0.0.1", "10.0.0.2")),
        send("a", udp("10.0.0.1:1", "10.0.0.2:9")),
        send("a", ping("10.0.0.1", "10.0.0.254")),
        send("a", ping("10.0.0.1", "10.0.9.1")),
        send("o", ping("10.0.9.1", "10.0.0.2")),
        { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.50:9"), "1", "9:9") },
        { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.255:9"), "1", "*") },
        { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.1:9"), "1", "1") },
        { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.2:9"), "1", "2") },
        { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.2:9"), "1", "4") },
        {
          do: "inject",
          at: "a:eth0",
          packet: frame(udp("10.0.0.1:1", "10.0.0.2:9", 4, { ttl: 1 }), "1", "3"),
        },
        { do: "inject", at: "b:eth0", packet: frame(udp("10.0.0.2:1", "10.0.0.1:9"), "1:1", "1") },
        { do: "ip", in: "b", words: "link set eth0 down" },
        { do: "wait", ms: 1200 },
        { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.2:9"), "1", "3") },
        send("n", udp("10.0.0.254:1", "10.0.0.2:9")),
      ],
    }),
  ),
  {
    name: "a bridge without carrier",
    plan: bridged(),
    steps: [
      { do: "ip", in: "a", words: "link set eth0 down" },
      { do: "ip", in: "b", words: "link set eth0 down" },
      { do: "wait", ms: 2700 },
      { do: "udp", in: "n", to: "10.0.0.2:9", bytes: 1 },
      send("o", udp("10.0.9.1:1", "10.0.0.2:9")),
      { do: "wait", ms: 3200 },
    ],
  },
  ...(
    [
      [1, false],
      [1, true],
      [0, false],
    ] as const
  ).map(
    ([call, hairpin]): Situation => ({
      name: `DNAT on the bridge (bridge-nf-call-iptables ${call}, hairpin ${hairpin})`,
      plan: bridged({
        n: {
          ...(hairpin ? { hairpin: ["p1", "p2"] } : {}),
          sysctl: { "net.bridge.bridge-nf-call-iptables": call },
          rules: {
            nat: [
              `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 1 -j DNAT --to-destination 10.0.0.2:9`,
              `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 2 -j DNAT --to-destination 10.0.0.1:9`,
              `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 3 -j DNAT --to-destination 10.0.9.1:9`,
              `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 4 -j DNAT --to-destination 10.0.0.254:9`,
              `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 5 -j DNAT --to-destination 10.0.0.77:9`,
              `-A PREROUTING -d ${VIP}/32 -p udp -m udp --dport 6 -j DNAT --to-destination 10.99.0.1:9`,
              `-A PREROUTING -d 10.0.0.2/32 -p udp -m udp --dport 7 -j DNAT --to-destination 10.0.9.1:9`,
              `-A PREROUTING -d ${VIP}/32 -p tcp -m tcp --dport 1 -j DNAT --to-destination 10.0.0.2:80`,
              "-A POSTROUTING -s 10.0.0.1/32 -d 10.0.0.1/32 -j MASQUERADE",
            ],
          },
        },
      }),
      inspect: ["n"],
      steps: [
        { do: "serve", in: "b", protocol: "udp", at: "0.0.0.0:9", bytes: 2 },
        { do: "serve", in: "b", protocol: "tcp", at: "0.0.0.0:80" },
        ...[1, 1, 2, 3, 4, 6].map(
          (p, i): Step => ({ do: "udp", in: "a", from: `0.0.0.0:${6000 + i}`, to: `${VIP}:${p}`, bytes: 2 }),
        ),
        { do: "udp", in: "a", to: "10.0.0.2:7", bytes: 2 },
        { do: "connect", in: "a", from: "0.0.0.0:4000", to: `${VIP}:1` },
        send("a", udp("10.0.0.1:9", `${VIP}:1`, 3, { ttl: 1 })),
        { do: "udp", in: "a", to: `${VIP}:5`, bytes: 2 },
        { do: "wait", ms: 3200 },
        ...(call === 1
          ? ([
              { do: "sysctl", in: "n", key: "net.ipv4.ip_forward", value: 0 },
              { do: "udp", in: "a", to: `${VIP}:1`, bytes: 2 },
              { do: "udp", in: "a", to: `${VIP}:3`, bytes: 2 },
            ] as const)
          : []),
      ],
    }),
  ),
  {
    name: "REJECT on the bridge, into the node, and through it",
    plan: bridged({
      n: {
        rules: {
          nat: [
            `-A PREROUTING -d ${VIP}/32 -p tcp -j DNAT --to-destination 10.0.0.2`,
            `-A PREROUTING -d 10.96.0.2/32 -p tcp -j DNAT --to-destination 10.0.9.1`,
          ],
          filter: [
            "-A FORWARD -p tcp -m tcp --dport 1 -j REJECT --reject-with tcp-reset",
            "-A FORWARD -p tcp -m tcp --dport 2 -j REJECT --reject-with icmp-port-unreachable",
            "-A FORWARD -p udp -j REJECT --reject-with icmp-admin-prohibited",
            "-A INPUT -p tcp -m tcp --dport 1 -j REJECT --reject-with tcp-reset",
            "-A INPUT -p tcp -m tcp --dport 2 -j REJECT --reject-with icmp-host-unreachable",
          ],
        },
      },
    }),
    inspect: ["n"],
    steps: [
      ...["10.0.0.2", "10.0.0.254", "10.0.9.1", "10.0.9.254", VIP, "10.96.0.2"].flatMap((to, i): Step[] => [
        { do: "connect", in: "a", from: `0.0.0.0:${4000 + 2 * i}`, to: `${to}:1` },
        { do: "connect", in: "a", from: `0.0.0.0:${4001 + 2 * i}`, to: `${to}:2` },
      ]),
      { do: "udp", in: "b", to: "10.0.0.1:9", bytes: 2 },
      { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.255:9"), "1", "*") },
    ],
  },
];
