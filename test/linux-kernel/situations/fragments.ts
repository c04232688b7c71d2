import { IPPROTO_ICMP, type Packet } from "../../../src/packet/packet.ts";
import { bridged, routed } from "../../linux/networks.ts";
import { frame, ping, tcp, udp } from "../../linux/packets.ts";
import type { Situation, Step } from "../step.ts";

const C = "10.0.0.1";
const S = "10.0.1.1";
const VIP = "10.96.0.1";

/** The pieces of a datagram whose transport header and payload are cut at these lengths. */
function pieces(whole: Packet, lengths: readonly number[], fields: Partial<Packet> = {}): Packet[] {
  let offset = 0;
  return lengths.map((payloadLength, i) => {
    const piece = Object.assign(whole.clone(), fields);
    piece.datagram = whole;
    piece.fragOffset = offset;
    piece.mf = i < lengths.length - 1 ? 1 : 0;
    piece.payloadLength = payloadLength;
    offset += payloadLength;
    return piece;
  });
}

const send = (at: string, packet: Packet): Step => ({ do: "send", in: at, packet });
const sized = (bytes: number, id: number): Packet => udp(`${C}:1`, `${S}:9`, bytes - 8, { id });

/** Rules that make a router track connections and nothing else. */
const TRACKING = { filter: ["-A FORWARD -m conntrack --ctstate NEW"] };
const QUIET = { rules: { filter: ["-A INPUT -p udp -j DROP"] } };

/** Sizes: cutting, putting together, and who is told what. */
export const FRAGMENTS: readonly Situation[] = [
  {
    name: "DF and not, over a smaller MTU",
    plan: routed({ r: { mtu: { s0: 1400 } }, s: { ...QUIET, mtu: { eth0: 1400 } } }),
    steps: [
      send("c", udp(`${C}:1`, `${S}:9`, 1372)),
      send("c", udp(`${C}:1`, `${S}:9`, 1373)),
      send("c", udp(`${C}:1`, `${S}:9`, 1472, { df: 1 })),
      { do: "udp", in: "c", to: `${S}:9`, bytes: 1400, discovery: "do" },
      { do: "udp", in: "c", to: `${S}:9`, bytes: 1400, discovery: "want" },
      { do: "udp", in: "c", to: `${S}:9`, bytes: 1400, discovery: "do" },
      { do: "udp", in: "c", to: `${S}:9`, bytes: 1372, discovery: "do" },
      { do: "udp", in: "c", to: `${S}:9`, bytes: 3000, discovery: "dont" },
      { do: "udp", in: "c", to: `${S}:9`, bytes: 1473, discovery: "do" },
      { do: "udp", in: "r", to: `${S}:9`, bytes: 1400, discovery: "do" },
      { do: "udp", in: "r", to: `${S}:9`, bytes: 1400, discovery: "want" },
    ],
  },
  {
    name: "DF and not, with connections tracked: pieces go out as they came",
    plan: routed({ r: { mtu: { s0: 1400 }, rules: TRACKING }, s: { ...QUIET, mtu: { eth0: 1400 } } }),
    inspect: ["r"],
    steps: [
      ...pieces(sized(2000, 2), [1000, 1000]).map((p) => send("c", p)),
      ...pieces(sized(2000, 3), [800, 800, 400]).map((p) => send("c", p)),
      ...pieces(sized(2800, 4), [1400, 1400]).map((p) => send("c", p)),
      ...pieces(sized(1200, 5), [1000, 200]).map((p) => send("c", p)),
      ...pieces(sized(2000, 6), [1000, 1000], { df: 1 }).map((p) => send("c", p)),
      ...pieces(sized(2800, 7), [1400, 1400], { df: 1 }).map((p) => send("c", p)),
      send("c", udp(`${C}:1`, `${S}:9`, 1472, { df: 1 })),
      send("c", udp(`${C}:1`, `${S}:9`, 1472)),
    ],
  },
  {
    name: "pieces in any order, one missing, one twice; errors about pieces",
    plan: routed({ r: { rules: TRACKING } }),
    inspect: ["r"],
    steps: [
      ...pieces(sized(1200, 2), [400, 400, 400])
        .reverse()
        .map((p) => send("c", p)),
      ...pieces(sized(1200, 3), [400, 400, 400])
        .slice(1)
        .map((p) => send("c", p)),
      ...pieces(sized(800, 4), [400, 400])
        .flatMap((p, i) => (i === 0 ? [p, p] : [p]))
        .map((p) => send("c", p)),
      ...pieces(sized(800, 5), [400, 400], { ttl: 1 }).map((p) => send("c", p)),
    ],
  },
  {
    name: "pieces without tracking: each by itself",
    plan: routed({ r: { mtu: { s0: 600 } }, s: { mtu: { eth0: 600 } } }),
    steps: [
      ...pieces(sized(2000, 2), [1000, 1000]).map((p) => send("c", p)),
      ...pieces(sized(1600, 3), [800, 800], { df: 1 }).map((p) => send("c", p)),
      ...pieces(sized(800, 4), [400, 400], { ttl: 1 }).map((p) => send("c", p)),
      send("c", ping(C, S, { payloadLength: 1400 })),
    ],
  },
  {
    name: "pieces that never become whole: told after a while",
    plan: routed({
      s: { sysctl: { "net.ipv4.ipfrag_time": 1 } },
      r: { sysctl: { "net.ipv4.ipfrag_time": 1 } },
    }),
    steps: [
      send("c", pieces(sized(800, 4), [400, 400])[0]!),
      { do: "wait", ms: 1300 },
      send("c", pieces(sized(800, 5), [400, 400])[1]!),
      { do: "wait", ms: 1300 },
    ],
  },
  {
    name: "pieces that never become whole at a router that tracks",
    plan: routed({ r: { rules: TRACKING, sysctl: { "net.ipv4.ipfrag_time": 1 } } }),
    inspect: ["r"],
    steps: [
      send("c", pieces(sized(800, 4), [400, 400])[0]!),
      { do: "wait", ms: 1300 },
      send("c", pieces(udp(`${C}:1`, "10.0.0.254:9", 792, { id: 5 }), [400, 400])[0]!),
      { do: "wait", ms: 1300 },
    ],
  },
  {
    name: "translated pieces, and an error about them",
    plan: routed({
      r: {
        rules: {
          nat: [
            `-A PREROUTING -d ${VIP}/32 -j DNAT --to-destination ${S}`,
            "-A POSTROUTING -o s0 -j MASQUERADE",
          ],
        },
      },
    }),
    inspect: ["r"],
    steps: [
      ...pieces(udp(`${C}:1`, `${VIP}:9`, 1992, { id: 3 }), [1000, 1000]).map((p) => send("c", p)),
      ...pieces(ping(C, VIP, { payloadLength: 1592, id: 4 }), [800, 800]).map((p) => send("c", p)),
    ],
  },
  {
    name: "large answers and a route's own MTU",
    plan: routed({ r: { ip: ["route add 10.0.7.0/24 via 10.0.1.1 mtu 1000"] }, s: QUIET }),
    steps: [
      send("c", ping(C, S, { payloadLength: 1472 })),
      send("c", udp(`${C}:1`, "10.0.7.1:9", 1100, { df: 1 })),
      send("c", udp(`${C}:1`, "10.0.7.1:9", 1100)),
      { do: "udp", in: "r", to: "10.0.7.1:9", bytes: 1100, discovery: "want" },
      { do: "udp", in: "r", to: "10.0.7.1:9", bytes: 1100, discovery: "do" },
    ],
  },
  {
    name: "a frag-needed error is believed by who sent the packet",
    plan: routed({ s: QUIET }),
    steps: [
      { do: "udp", in: "c", from: "10.0.0.1:4000", to: `${S}:9`, bytes: 1400 },
      ...[1200, 300, 0].flatMap((mtu): Step[] => [
        send("r", fragNeeded(`${C}:4000`, `${S}:9`, mtu)),
        { do: "udp", in: "c", from: `10.0.0.1:${4001 + mtu}`, to: `${S}:9`, bytes: 1000, discovery: "want" },
        { do: "udp", in: "c", from: `10.0.0.1:${4002 + mtu}`, to: `${S}:9`, bytes: 1000, discovery: "do" },
      ]),
    ],
  },
  {
    name: "pieces on a bridge with br_netfilter",
    plan: bridged({
      b: QUIET,
      n: {
        rules: {
          nat: [`-A PREROUTING -d ${VIP}/32 -j DNAT --to-destination 10.0.0.2`],
          filter: ["-A FORWARD -p udp", "-A FORWARD -m conntrack --ctstate NEW"],
        },
      },
    }),
    inspect: ["n"],
    steps: [
      send("a", ping("10.0.0.1", "10.0.0.2")),
      ...pieces(udp("10.0.0.1:1", "10.0.0.2:9", 1992, { id: 3 }), [1000, 1000]).map((p) => send("a", p)),
      ...pieces(udp("10.0.0.1:2", `${VIP}:9`, 1992, { id: 4 }), [1200, 800]).map((p) => send("a", p)),
      ...pieces(udp("10.0.0.1:3", "10.0.0.2:9", 1992, { id: 5 }), [1000, 1000], { df: 1 }).map((p) =>
        send("a", p),
      ),
      { do: "udp", in: "a", to: `${VIP}:9`, bytes: 2000, discovery: "dont" },
      ...pieces(udp("10.0.0.1:4", "10.0.9.1:9", 1992, { id: 6 }), [1000, 1000]).map((p) => send("a", p)),
    ],
  },
  ...[0, 1].map(
    (call): Situation => ({
      name: `a bridge port with a smaller MTU (bridge-nf-call-iptables ${call})`,
      plan: bridged({
        b: { ...QUIET, mtu: { eth0: 1000 } },
        n: {
          mtu: { p2: 1000 },
          sysctl: { "net.bridge.bridge-nf-call-iptables": call },
          rules: TRACKING,
          ip: ["link set br0 mtu 1500"],
        },
      }),
      inspect: ["n"],
      steps: [
        send("a", ping("10.0.0.1", "10.0.0.2")),
        send("a", udp("10.0.0.1:1", "10.0.0.2:9", 1100, { df: 1 })),
        send("a", udp("10.0.0.1:1", "10.0.0.2:9", 1100)),
        send("a", udp("10.0.0.1:1", "10.0.0.2:9", 974, { df: 1 })),
        send("a", udp("10.0.0.1:1", "10.0.0.2:9", 978, { df: 1 })),
        send("o", udp("10.0.9.1:1", "10.0.0.2:9", 1100)),
        send("o", udp("10.0.9.1:1", "10.0.0.2:9", 1100, { df: 1 })),
      ],
    }),
  ),
  {
    name: "a veth whose other end has a smaller MTU",
    plan: routed({ s: { ...QUIET, mtu: { eth0: 1000 } } }),
    steps: [
      send("c", udp(`${C}:1`, `${S}:9`, 976)),
      send("c", udp(`${C}:1`, `${S}:9`, 977)),
      send("c", udp(`${C}:1`, `${S}:9`, 972)),
      {
        do: "inject",
        at: "c:eth0",
        packet: frame(tcp(`${C}:1`, `${S}:9`, "A", { payloadLength: 1400, df: 1 }), "1", "2"),
      },
    ],
  },
];

function fragNeeded(source: string, destination: string, mtu: number): Packet {
  const about = udp(source, destination, 1400, { df: 1 });
  return Object.assign(ping("10.0.0.254", C), {
    protocol: IPPROTO_ICMP,
    icmpType: 3,
    icmpCode: 4,
    icmpId: 0,
    icmpSeq: 0,
    icmpInfo: mtu,
    inner: about,
    payloadLength: 28,
  });
}
