import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIpv4, formatMac } from "../../src/packet/address.ts";
import { encodeFrame, encodeIp } from "../../src/packet/codec/index.ts";
import {
  ETH_P_ARP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isFragment,
  isIcmpError,
  type Packet,
} from "../../src/packet/packet.ts";
import { PcapngWriter } from "../../src/packet/pcapng.ts";
import * as arbitraries from "./arbitraries.ts";
import { hasTshark, readWithTshark, type TsharkPacket } from "./tshark.ts";

const LAN = { name: "ens33", description: "nic of srv-k8s-node2", linkType: "ethernet", mtu: 1500 } as const;
const TUN = { name: "flannel0", description: "flannel's TUN device", linkType: "raw", mtu: 1472 } as const;

describe("PcapngWriter", () => {
  it("writes one section header, and blocks whose two lengths agree", () => {
    const writer = new PcapngWriter();
    writer.addPacket(writer.addInterface(LAN), 5n, new Uint8Array(61), { direction: "in", comment: "é" });
    const capture = writer.finish();
    const view = new DataView(capture.buffer);
    const types: number[] = [];
    for (let at = 0; at < capture.length; at += view.getUint32(at + 4)) {
      types.push(view.getUint32(at));
      const length = view.getUint32(at + 4);
      expect(length % 4).toBe(0);
      expect(view.getUint32(at + length - 4)).toBe(length);
    }
    expect(types).toEqual([0x0a0d0d0a, 1, 6]);
  });

  it("numbers interfaces from 0 and knows no others", () => {
    const writer = new PcapngWriter();
    expect(() => writer.addPacket(0, 0n, new Uint8Array(1))).toThrow(RangeError);
    expect([writer.addInterface(LAN), writer.addInterface(TUN)]).toEqual([0, 1]);
    expect(() => writer.addPacket(2, 0n, new Uint8Array(1))).toThrow(
      new RangeError("no capture interface 2: 2 have been added"),
    );
  });

  it("takes a copy of the bytes, and can be added to after it was read", () => {
    const writer = new PcapngWriter();
    const bytes = Uint8Array.of(1, 2, 3, 4);
    writer.addPacket(writer.addInterface(TUN), 0n, bytes);
    const before = writer.finish();
    bytes.fill(9);
    expect(writer.finish()).toStrictEqual(before);
    writer.addPacket(0, 1n, bytes);
    expect(writer.finish().subarray(0, before.length)).toStrictEqual(before);
  });

  it("refuses a comment that no option can hold", () => {
    const writer = new PcapngWriter();
    writer.addInterface(LAN);
    const comment = "x".repeat(65536);
    expect(() => writer.addPacket(0, 0n, new Uint8Array(1), { comment })).toThrow(RangeError);
  });
});

describe.skipIf(!hasTshark)("what tshark reads (needs tshark)", () => {
  it("name, time, direction and comment of every packet", () => {
    const writer = new PcapngWriter();
    const lan = writer.addInterface(LAN);
    const tun = writer.addInterface(TUN);
    const [p] = fc.sample(arbitraries.udp, { numRuns: 1, seed: 1 }) as [Packet];
    writer.addPacket(lan, 1_000_000_007n, encodeFrame(p), { direction: "out", comment: "größer" });
    writer.addPacket(tun, 1_000_000_008n, encodeIp(p), { direction: "in" });
    writer.addPacket(tun, 1_700_000_000_123_456_789n, encodeIp(p));
    const fields = [
      "frame.interface_name",
      "frame.interface_description",
      "frame.time_epoch",
      "frame.packet_flags_direction",
      "frame.comment",
      "frame.protocols",
    ];
    expect(readWithTshark(writer.finish(), fields).map((packet) => fields.map((f) => packet[f]![0]))).toEqual(
      [
        [LAN.name, LAN.description, "1.000000007", "0x00000002", "größer", expect.stringMatching(/^eth:/)],
        [TUN.name, TUN.description, "1.000000008", "0x00000001", undefined, expect.stringMatching(/^raw:ip/)],
        [TUN.name, TUN.description, "1700000000.123456789", undefined, undefined, expect.any(String)],
      ],
    );
  });

  /** Fields of one packet and those inside it, as tshark prints them. */
  interface Expected {
    readonly "ip.src": string[];
    readonly "ip.dst": string[];
    readonly "ip.ttl": string[];
    readonly "ip.len": string[];
    readonly "ip.id": string[];
    readonly "udp.srcport": string[];
    readonly "udp.dstport": string[];
    readonly "tcp.srcport": string[];
    readonly "tcp.dstport": string[];
    readonly "sctp.srcport": string[];
    readonly "sctp.dstport": string[];
    readonly "icmp.type": string[];
    readonly "icmp.code": string[];
    readonly "arp.src.proto_ipv4": string[];
    readonly "arp.dst.proto_ipv4": string[];
    readonly "arp.opcode": string[];
    readonly "vxlan.vni": string[];
  }

  const nothing = (): Expected => ({
    "ip.src": [],
    "ip.dst": [],
    "ip.ttl": [],
    "ip.len": [],
    "ip.id": [],
    "udp.srcport": [],
    "udp.dstport": [],
    "tcp.srcport": [],
    "tcp.dstport": [],
    "sctp.srcport": [],
    "sctp.dstport": [],
    "icmp.type": [],
    "icmp.code": [],
    "arp.src.proto_ipv4": [],
    "arp.dst.proto_ipv4": [],
    "arp.opcode": [],
    "vxlan.vni": [],
  });
  const PORT_FIELDS = new Map<number, "tcp" | "udp" | "sctp">([
    [IPPROTO_TCP, "tcp"],
    [IPPROTO_UDP, "udp"],
    [IPPROTO_SCTP, "sctp"],
  ]);

  /** Without what is inside a tunnel that an ICMP error quotes: tshark looks into it or not. */
  function expectedOf(p: Packet, into: Expected = nothing(), quoted = false): Expected {
    if (p.etherType === ETH_P_ARP) {
      into["arp.src.proto_ipv4"].push(formatIpv4(p.src));
      into["arp.dst.proto_ipv4"].push(formatIpv4(p.dst));
      into["arp.opcode"].push(`${p.arpOp}`);
      return into;
    }
    into["ip.src"].push(formatIpv4(p.src));
    into["ip.dst"].push(formatIpv4(p.dst));
    into["ip.ttl"].push(`${p.ttl}`);
    into["ip.len"].push(`${ipTotalLength(p)}`);
    into["ip.id"].push(`0x${p.id.toString(16).padStart(4, "0")}`);
    if (isFragment(p)) return into;
    const name = PORT_FIELDS.get(p.protocol);
    if (name !== undefined) {
      into[`${name}.srcport`].push(`${p.sport}`);
      into[`${name}.dstport`].push(`${p.dport}`);
    } else if (p.protocol === 1) {
      into["icmp.type"].push(`${p.icmpType}`);
      into["icmp.code"].push(`${p.icmpCode}`);
    }
    if (p.inner === null || quoted) return into;
    if (p.vni >= 0) into["vxlan.vni"].push(`${p.vni}`);
    return expectedOf(p.inner, into, isIcmpError(p));
  }

  const CHECKSUMS = ["ip", "tcp", "udp", "sctp", "icmp"].map((name) => `${name}.checksum.status`);
  const ALARMS = [
    "_ws.malformed",
    "ip.fragment.error",
    "ip.fragment.overlap.conflict",
    "ip.bogus_header_length",
  ];
  const COMPARED = Object.keys(nothing()) as (keyof Expected)[];
  const FIELDS = [...CHECKSUMS, ...ALARMS, ...COMPARED, "eth.src", "eth.dst", "ip.reassembled.length"];

  function captureOf(packets: readonly Packet[]): Uint8Array {
    const writer = new PcapngWriter();
    const lan = writer.addInterface(LAN);
    const tun = writer.addInterface(TUN);
    packets.forEach((p, i) => {
      const time = BigInt(i) * 1000n;
      if (p.etherType === ETH_P_ARP || i % 2 === 0) writer.addPacket(lan, time, encodeFrame(p));
      else writer.addPacket(tun, time, encodeIp(p));
    });
    return writer.finish();
  }

  /**
   * No malformed packet, no bad checksum. Those of a whole packet are all judged good (1). Inside tunnels and quotes
   * tshark may leave some unverified (2); TCP's in a quote that is cut it computes over the quoted bytes alone.
   */
  function expectSound(read: TsharkPacket, p: Packet): void {
    for (const alarm of ALARMS) expect(read[alarm], alarm).toEqual([]);
    const isCutQuote = p.inner !== null && isIcmpError(p) && p.payloadLength < ipTotalLength(p.inner);
    for (const checksum of CHECKSUMS) {
      if (isCutQuote && checksum.startsWith("tcp")) continue;
      const [outer, ...inside] = read[checksum]!;
      if (outer !== undefined) expect(p.inner === null ? ["1"] : ["1", "2"], checksum).toContain(outer);
      for (const status of inside) expect(["1", "2"], checksum).toContain(status);
    }
  }

  /** To us IP in IP is a protocol like any other; tshark would look for a packet in it. */
  const hasNoIpip = (p: Packet): boolean => p.protocol !== 4 && (p.inner === null || hasNoIpip(p.inner));

  it.each<[string, fc.Arbitrary<Packet>]>([
    ["arp", arbitraries.arp],
    ["tcp", arbitraries.tcp],
    ["udp", arbitraries.udp],
    ["sctp", arbitraries.sctp],
    ["icmp echo", arbitraries.icmpEcho],
    ["icmp error", arbitraries.icmpError],
    ["icmp error cut anywhere", arbitraries.icmpErrorCutAnywhere],
    ["flannel udp", arbitraries.flannelUdp],
    ["vxlan", arbitraries.vxlan],
    ["other protocol", arbitraries.otherProtocol],
    ["any of these", arbitraries.frame.filter((p) => !isFragment(p))],
  ])("%s: as we meant it, no packet malformed, no checksum wrong", (_, kind) => {
    const packets = fc.sample(kind.filter(hasNoIpip), { numRuns: 200, seed: 42 });
    const read = readWithTshark(captureOf(packets), FIELDS);
    expect(read.length).toBe(packets.length);
    packets.forEach((p, i) => {
      expectSound(read[i]!, p);
      const expected = expectedOf(p);
      const isQuotedTunnel = isIcmpError(p) && p.inner?.inner != null;
      for (const field of COMPARED) {
        const seen = read[i]![field]!;
        expect(isQuotedTunnel ? seen.slice(0, expected[field].length) : seen, field).toEqual(expected[field]);
      }
    });
  });

  it("MAC addresses", () => {
    const packets = fc.sample(arbitraries.arp, { numRuns: 200, seed: 7 });
    const read = readWithTshark(captureOf(packets), FIELDS);
    expect(read.map((r) => [r["eth.src"], r["eth.dst"]])).toEqual(
      packets.map((p) => [[formatMac(p.smac)], [formatMac(p.dmac)]]),
    );
  });

  it("fragments: puts each datagram together again, its checksum right", () => {
    const datagrams = fc.sample(arbitraries.fragments, { numRuns: 100, seed: 42 });
    datagrams.forEach((pieces, i) => {
      for (const piece of pieces) piece.id = i;
    });
    const packets = datagrams.flat();
    const read = readWithTshark(captureOf(packets), FIELDS);
    read.forEach((seen, i) => {
      expectSound(seen, packets[i]!);
      expect(seen["ip.len"]).toEqual([`${ipTotalLength(packets[i]!)}`]);
    });
    expect(read.flatMap((seen) => seen["ip.reassembled.length"]!)).toEqual(
      datagrams.map((pieces) => `${ipTotalLength(pieces[0]!.datagram!) - 20}`),
    );
  });
});
