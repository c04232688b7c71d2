import { ICMP_ECHOREPLY } from "../../../src/packet/packet.ts";
import { bridged, routed } from "../../linux/networks.ts";
import { frame, ping, tcp, udp } from "../../linux/packets.ts";
import type { Situation, Step } from "../step.ts";

const C = "10.0.0.1";
const S = "10.0.1.1";
const VIP = "10.96.0.1";

const states = (chain: string): string[] =>
  ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"].map(
    (s) => `-A ${chain} -m conntrack --ctstate ${s}`,
  );

/** What is left: local packets, neighbours, timeouts of other protocols, rules that drop late. */
export const MORE: readonly Situation[] = [
  {
    name: "a node talks to itself, with every table walked once",
    plan: routed({
      r: {
        rules: {
          raw: ["-A PREROUTING -i lo", "-A OUTPUT -o lo"],
          mangle: ["-A PREROUTING -i lo", "-A INPUT -i lo", "-A OUTPUT -o lo", "-A POSTROUTING -o lo"],
          nat: ["-A PREROUTING -i lo", "-A INPUT -i lo", "-A OUTPUT -o lo", "-A POSTROUTING -o lo"],
          filter: [...states("INPUT"), ...states("OUTPUT")],
        },
      },
    }),
    inspect: ["r"],
    follow: true,
    steps: [
      { do: "serve", in: "r", protocol: "udp", at: "0.0.0.0:53", bytes: 4 },
      { do: "serve", in: "r", protocol: "tcp", at: "0.0.0.0:80" },
      { do: "udp", in: "r", to: "10.0.0.254:53", bytes: 4 },
      { do: "udp", in: "r", to: "127.0.0.1:54", bytes: 4 },
      { do: "connect", in: "r", from: "0.0.0.0:4000", to: "10.0.1.254:80" },
      { do: "connect", in: "r", from: "0.0.0.0:4001", to: "127.0.0.1:81" },
      { do: "send", in: "r", packet: ping("0.0.0.0", "10.0.0.254") },
    ],
  },
  {
    name: "UDP: answered, a stream after two seconds, and its timeouts",
    plan: routed({ r: { rules: { filter: states("FORWARD") } } }),
    inspect: ["r"],
    follow: true,
    steps: [
      { do: "serve", in: "s", protocol: "udp", at: "0.0.0.0:53", bytes: 4 },
      { do: "udp", in: "c", from: "0.0.0.0:4000", to: `${S}:53`, bytes: 1 },
      { do: "send", in: "c", packet: udp(`${C}:4000`, `${S}:53`) },
      { do: "wait", ms: 2100 },
      { do: "send", in: "c", packet: udp(`${C}:4000`, `${S}:53`) },
      { do: "send", in: "c", packet: ping(C, S) },
      { do: "send", in: "c", packet: ping(C, S, { icmpType: ICMP_ECHOREPLY }) },
      { do: "send", in: "s", packet: ping(S, C, { icmpType: ICMP_ECHOREPLY }) },
      { do: "send", in: "c", packet: Object.assign(ping(C, S), { protocol: 250, payloadLength: 16 }) },
    ],
  },
  {
    name: "a first packet that is dropped leaves nothing, wherever it is dropped",
    plan: routed({
      r: {
        rules: {
          raw: ["-A PREROUTING -p udp -m udp --dport 1 -j DROP"],
          mangle: [
            "-A PREROUTING -p udp -m udp --dport 2 -j DROP",
            "-A FORWARD -p udp -m udp --dport 3 -j DROP",
            "-A POSTROUTING -p udp -m udp --dport 4 -j DROP",
            "-A OUTPUT -p udp -m udp --dport 7 -j DROP",
          ],
          nat: [
            "-A PREROUTING -p udp -m udp --dport 9 -j DNAT --to-destination 10.0.0.254",
            "-A POSTROUTING -o s0 -j MASQUERADE",
          ],
          filter: [
            "-A FORWARD -p udp -m udp --dport 5 -j DROP",
            "-A INPUT -p udp -j DROP",
            "-A OUTPUT -p udp -m udp --dport 8 -j DROP",
            ":FORWARD DROP [0:0]",
            "-A FORWARD -p udp -m udp --dport 6 -j ACCEPT",
            "-A FORWARD -p udp -m udp --dport 4 -j ACCEPT",
          ],
          security: ["-A FORWARD -p udp -m udp --dport 6 -j DROP"],
        },
      },
    }),
    inspect: ["r"],
    follow: true,
    steps: [
      ...[1, 2, 3, 4, 5, 6, 9].map(
        (p): Step => ({ do: "send", in: "c", packet: udp(`${C}:${p}`, `${S}:${p}`) }),
      ),
      ...[6, 7, 8].map((p): Step => ({ do: "udp", in: "r", to: `${S}:${p}`, bytes: 1 })),
      { do: "connect", in: "r", from: "0.0.0.0:4000", to: `${S}:81` },
    ],
  },
  {
    name: "an old packet of no connection: answers are not translated, INVALID is not either",
    plan: routed({
      r: {
        rules: {
          nat: [
            `-A PREROUTING -d ${VIP}/32 -p tcp -j DNAT --to-destination ${S}`,
            "-A POSTROUTING -o c0 -j MASQUERADE",
          ],
          filter: states("FORWARD"),
        },
      },
      c: { rules: { filter: ["-A INPUT -p tcp -j DROP"] } },
      s: { rules: { filter: ["-A INPUT -p tcp -j DROP"] } },
    }),
    inspect: ["r"],
    steps: [
      { do: "send", in: "s", packet: tcp(`${S}:80`, `${C}:4000`, "SA", { ack: 5 }) },
      { do: "send", in: "c", packet: tcp(`${C}:4000`, `${VIP}:80`, "S", { seq: 100 }) },
      { do: "send", in: "s", packet: tcp(`${S}:80`, `${C}:4000`, "SA", { seq: 500, ack: 101 }) },
      {
        do: "send",
        in: "s",
        packet: tcp(`${S}:80`, `${C}:4000`, "A", { seq: 90000, ack: 900_000, payloadLength: 5 }),
      },
      { do: "send", in: "c", packet: tcp(`${C}:4000`, `${VIP}:80`, "A", { seq: 101, ack: 501 }) },
      {
        do: "send",
        in: "c",
        packet: tcp(`${C}:4000`, `${VIP}:80`, "PA", { seq: 800_101, ack: 501, payloadLength: 4 }),
      },
    ],
  },
  {
    name: "marks decide nothing by themselves, CONNMARK comes back",
    plan: routed({
      r: {
        rules: {
          mangle: [
            "-A PREROUTING -p udp -m udp --dport 9 -j MARK --set-xmark 0x4000/0x4000",
            "-A PREROUTING -p udp -m udp --dport 9 -j CONNMARK --save-mark",
            "-A PREROUTING -p udp -m udp --sport 9 -j CONNMARK --restore-mark",
            "-A POSTROUTING -m mark --mark 0x4000/0x4000",
          ],
        },
      },
    }),
    inspect: ["r"],
    steps: [
      { do: "serve", in: "s", protocol: "udp", at: "0.0.0.0:9", bytes: 4 },
      { do: "udp", in: "c", to: `${S}:9`, bytes: 1 },
      { do: "udp", in: "c", to: `${S}:10`, bytes: 1 },
    ],
  },
  {
    name: "a masquerading device goes down",
    plan: routed({ r: { rules: { nat: ["-A POSTROUTING -o s0 -j MASQUERADE"] } } }),
    inspect: ["r"],
    follow: true,
    steps: [
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:9`) },
      { do: "send", in: "c", packet: ping(C, "10.0.0.254") },
      { do: "ip", in: "r", words: "link set s0 down" },
      { do: "wait", ms: 100 },
    ],
  },
  {
    name: "neighbours: stale after being asked, probed by unicast when used",
    plan: routed(),
    steps: [
      { do: "send", in: "c", packet: ping(C, "10.0.0.254") },
      { do: "wait", ms: 5600 },
      { do: "send", in: "c", packet: ping(C, "10.0.0.254") },
    ],
  },
  {
    name: "neighbours: many wait for one answer, the newest asks",
    plan: routed({
      r: { addresses: { s0: ["10.0.1.254/24", "10.0.1.253/24"] } },
      s: { sysctl: { "net.ipv4.conf.eth0.arp_ignore": 8 } },
    }),
    steps: [
      { do: "send", in: "r", packet: udp("10.0.1.254:1", `${S}:9`) },
      { do: "send", in: "r", packet: udp("10.0.1.253:1", `${S}:9`) },
      { do: "send", in: "c", packet: udp(`${C}:1`, `${S}:9`) },
      { do: "wait", ms: 1000 },
      { do: "sysctl", in: "s", key: "net.ipv4.conf.eth0.arp_ignore", value: 0 },
      { do: "wait", ms: 1000 },
    ],
  },
  ...[4, 600, 1400].map(
    (bytes): Situation => ({
      name: `neighbours: how many packets of ${bytes} bytes wait for an answer`,
      plan: routed({
        s: { sysctl: { "net.ipv4.conf.eth0.arp_ignore": 8 }, rules: { filter: ["-A INPUT -p udp -j DROP"] } },
      }),
      inspect: ["s"],
      steps: [
        { do: "send", in: "r", packet: udp("10.0.1.254:1", `${S}:9`, bytes), times: 300 },
        { do: "sysctl", in: "s", key: "net.ipv4.conf.eth0.arp_ignore", value: 0 },
        { do: "wait", ms: 1000 },
      ],
    }),
  ),
  {
    name: "arp_announce and arp_ignore 2",
    plan: routed({
      c: {
        addresses: { eth0: ["10.0.0.1/24", "10.8.0.1/24"] },
        sysctl: { "net.ipv4.conf.all.arp_announce": 2 },
      },
      r: {
        addresses: { c0: ["10.0.0.254/24", "10.8.0.254/24"] },
        sysctl: { "net.ipv4.conf.all.arp_ignore": 2, "net.ipv4.conf.all.arp_announce": 1 },
      },
    }),
    steps: [
      { do: "send", in: "c", packet: udp("10.8.0.1:1", "10.0.0.254:9") },
      { do: "send", in: "c", packet: udp("10.0.0.1:1", "10.8.0.254:9") },
      { do: "send", in: "r", packet: udp("10.0.1.254:1", "10.0.0.7:9") },
      { do: "send", in: "r", packet: udp("10.8.0.254:1", "10.0.0.8:9") },
    ],
  },
  {
    name: "physdev and the bridge's devices in every chain",
    plan: bridged({
      n: {
        rules: {
          mangle: ["PREROUTING", "INPUT", "FORWARD", "POSTROUTING"].flatMap((chain) => [
            ...(chain === "POSTROUTING" ? [] : [`-A ${chain} -i br0`, `-A ${chain} -i p1`]),
            ...(chain === "FORWARD" || chain === "POSTROUTING"
              ? [
                  `-A ${chain} -o br0`,
                  `-A ${chain} -m physdev --physdev-is-bridged`,
                  `-A ${chain} -m physdev --physdev-out p2 --physdev-is-bridged`,
                ]
              : []),
            `-A ${chain} -m physdev --physdev-in p1`,
          ]),
        },
      },
    }),
    inspect: ["n"],
    steps: [
      { do: "send", in: "a", packet: ping("10.0.0.1", "10.0.0.2") },
      { do: "send", in: "a", packet: ping("10.0.0.1", "10.0.0.254") },
      { do: "send", in: "a", packet: ping("10.0.0.1", "10.0.9.1") },
      { do: "send", in: "o", packet: ping("10.0.9.1", "10.0.0.1") },
      { do: "inject", at: "a:eth0", packet: frame(udp("10.0.0.1:1", "10.0.0.255:9"), "1", "*") },
    ],
  },
  {
    name: "the nat table alone tracks",
    plan: routed({ r: { rules: { nat: [] } } }),
    inspect: ["r"],
    steps: [{ do: "send", in: "c", packet: ping(C, S) }],
  },
];
