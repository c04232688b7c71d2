import { describe, expect, it } from "vitest";
import { parseIpv4, parseMac } from "../../../src/packet/address.ts";
import {
  DecodeError,
  decodeFrame,
  decodeIp,
  encapsulatedLength,
  encodeFrame,
  encodeIp,
  frameLength,
} from "../../../src/packet/codec/index.ts";
import {
  ARPOP_REQUEST,
  BROADCAST_MAC,
  ETH_P_ARP,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  Packet,
  TCP_ACK,
  TCP_SYN,
  TCPOPT_MSS,
  TCPOPT_SACK_PERM,
  TCPOPT_TIMESTAMP,
  TCPOPT_WSCALE,
  TCPOPTS_ESTABLISHED,
  TCPOPTS_SYN,
} from "../../../src/packet/packet.ts";
import { fragmentsOf, packetOf } from "../arbitraries.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const src = parseIpv4("192.168.97.2");
const dst = parseIpv4("192.168.96.33");

const tcp = (fields: Partial<Packet>): Packet =>
  packetOf({ src, dst, df: 1, protocol: IPPROTO_TCP, sport: 40000, dport: 80, ...fields });
const udp = (fields: Partial<Packet>): Packet =>
  packetOf({ src, dst, df: 1, protocol: IPPROTO_UDP, sport: 40000, dport: 53, ...fields });

describe("bytes on the wire", () => {
  it("an ARP request", () => {
    const p = packetOf({
      dmac: BROADCAST_MAC,
      smac: parseMac("02:42:c0:a8:61:02"),
      etherType: ETH_P_ARP,
      arpOp: ARPOP_REQUEST,
      arpSenderMac: parseMac("02:42:c0:a8:61:02"),
      src,
      dst: parseIpv4("192.168.97.1"),
    });
    expect(encodeFrame(p)).toStrictEqual(
      bytesOf(`ffffffffffff 0242c0a86102 0806
        0001 0800 06 04 0001 0242c0a86102 c0a86102 000000000000 c0a86101`),
    );
  });

  it("a UDP datagram with DSCP, id and DF", () => {
    const p = udp({ tos: 0xb8, id: 0x1234, ttl: 63, payload: bytesOf("68656c6c6f"), payloadLength: 5 });
    expect(encodeFrame(p)).toStrictEqual(
      bytesOf(`000000000000 000000000000 0800
        45 b8 0021 1234 4000 3f 11 e66b c0a86102 c0a86021
        9c40 0035 000d dd17 68656c6c6f`),
    );
  });

  it("sends 0xffff for a UDP checksum of 0", () => {
    const sum = 0xffff - Number.parseInt(hex(encodeIp(udp({ payloadLength: 2 }))).slice(52, 56), 16);
    const complement = 0xffff - sum;
    const p = udp({ payloadLength: 2, payload: Uint8Array.of(complement >>> 8, complement & 0xff) });
    expect(hex(encodeIp(p)).slice(52, 56)).toBe("ffff");
    expect(decodeIp(encodeIp(p))).toStrictEqual(p);
  });

  it("accepts a UDP datagram without checksum", () => {
    const p = udp({ payloadLength: 3 });
    const bytes = encodeIp(p);
    bytes.fill(0, 26, 28);
    expect(decodeIp(bytes)).toStrictEqual(p);
  });

  const mss = { tcpFlags: TCP_SYN, seq: 0x01020304, mss: 1460 };
  it.each<[string, Partial<Packet>, string]>([
    ["none", {}, ""],
    ["those of a SYN", { ...mss, tcpOptions: TCPOPTS_SYN }, "020405b4 0402080a 01020304 00000000 01030307"],
    [
      "those of a SYN/ACK",
      { ...mss, tcpFlags: TCP_SYN | TCP_ACK, ack: 5, tcpOptions: TCPOPTS_SYN },
      "020405b4 0402080a 01020304 00000005 01030307",
    ],
    [
      "those of every later segment",
      { tcpFlags: TCP_ACK, seq: 7, ack: 9, tcpOptions: TCPOPTS_ESTABLISHED },
      "0101080a 00000007 00000009",
    ],
    ["MSS alone", { mss: 536, tcpOptions: TCPOPT_MSS }, "02040218"],
    ["SACK permitted alone", { tcpOptions: TCPOPT_SACK_PERM }, "01010402"],
    ["window scale alone", { tcpOptions: TCPOPT_WSCALE }, "01030307"],
    [
      "all but SACK",
      { ...mss, tcpOptions: TCPOPT_MSS | TCPOPT_TIMESTAMP | TCPOPT_WSCALE },
      "020405b4 0101080a 01020304 00000000 01030307",
    ],
  ])("TCP options: %s", (_, fields, options) => {
    const p = tcp(fields);
    const bytes = encodeIp(p);
    expect(hex(bytes.subarray(40))).toBe(options.replaceAll(" ", ""));
    expect(decodeIp(bytes)).toStrictEqual(p);
  });

  it("an SCTP packet, the CRC32c least significant byte first", () => {
    const p = packetOf({ src, dst, protocol: IPPROTO_SCTP, sport: 1, dport: 2, seq: 3, payloadLength: 4 });
    expect(hex(encodeIp(p).subarray(20))).toMatch(/^0001000200000003.{8}00000000$/);
  });

  it("what an ICMP error says beside its quote", () => {
    const inner = udp({ payloadLength: 1452 });
    const header = (fields: Partial<Packet>): string =>
      hex(
        encodeIp(
          packetOf({ src, dst, protocol: IPPROTO_ICMP, inner, payloadLength: 548, ...fields }),
        ).subarray(24, 28),
      );
    expect(header({ icmpType: 3, icmpCode: 4, icmpInfo: 1472 })).toBe("000005c0");
    expect(header({ icmpType: 5, icmpCode: 1, icmpInfo: parseIpv4("10.1.96.1") })).toBe("0a016001");
    expect(header({ icmpType: 12, icmpInfo: 9 })).toBe("09000000");
    expect(header({ icmpType: 3, icmpCode: 3, icmpInfo: 7 })).toBe("00000000");
  });

  it("a VXLAN header in front of the inner frame", () => {
    const inner = tcp({ dmac: 0x0242, smac: 0x0243 });
    const p = udp({ dport: 8472, inner, vni: 0xabcdef, payloadLength: encapsulatedLength(inner, 0xabcdef) });
    expect(ipTotalLength(p)).toBe(40 + 50);
    expect(frameLength(p)).toBe(14 + 40 + 50);
    expect(hex(encodeIp(p).subarray(28, 50))).toBe("08000000abcdef00000000000242000000000243" + "0800");
  });

  it("flannel's bare IP packet in UDP", () => {
    const inner = tcp({});
    const p = udp({ dport: 8285, inner, payloadLength: encapsulatedLength(inner, -1) });
    expect(encodeIp(p).subarray(28)).toStrictEqual(encodeIp(inner));
  });
});

describe("packets inside UDP are found behind the tunnels' ports", () => {
  const inner = tcp({});
  const bytes = encodeIp(udp({ dport: 7777, inner, payloadLength: encapsulatedLength(inner, -1) }));

  it("and nowhere else", () => {
    expect(decodeIp(bytes)).toMatchObject({ inner: null, payload: encodeIp(inner) });
  });

  it("which can be said to be others", () => {
    const p = decodeIp(bytes, { tunnelPorts: { vxlan: [], flannelUdp: [7777] } });
    expect(p).toMatchObject({ inner, vni: -1, payload: null });
  });

  it.each([8285, 8472, 4789])("a payload to port %i that holds no packet stays a payload", (dport) => {
    const zeros = udp({ dport, payloadLength: 100 });
    expect(decodeIp(encodeIp(zeros))).toStrictEqual(zeros);
    const trailing = Uint8Array.from([...encodeIp(tcp({})), 1, 2]);
    const p = udp({ dport, payload: trailing, payloadLength: trailing.length });
    expect(decodeIp(encodeIp(p))).toStrictEqual(p);
  });
});

describe("quotes", () => {
  const error = (inner: Packet, payloadLength: number): Packet =>
    packetOf({ src: dst, dst: src, protocol: IPPROTO_ICMP, icmpType: 3, icmpCode: 3, inner, payloadLength });

  it("a cut quote has the lengths that its IP header states", () => {
    const inner = udp({ payloadLength: 1472 });
    expect(decodeIp(encodeIp(error(inner, 548)))).toStrictEqual(error(inner, 548));
  });

  it("RFC 792's eight bytes of a TCP segment give ports and sequence number", () => {
    const inner = tcp({ seq: 77, tcpFlags: TCP_SYN, tcpOptions: TCPOPTS_SYN, mss: 1460 });
    const bytes = encodeIp(error(inner, 28));
    const quoted = decodeIp(bytes).inner!;
    expect(quoted).toMatchObject({ sport: 40000, dport: 80, seq: 77, tcpFlags: 0 });
    expect(ipTotalLength(quoted)).toBe(60);
    expect(encodeIp(decodeIp(bytes))).toStrictEqual(bytes);
  });

  it("a cut quote of a payload that is not zeros keeps its checksum", () => {
    const payload = Uint8Array.from({ length: 600 }, (_, i) => i);
    const bytes = encodeIp(error(udp({ payload, payloadLength: 600 }), 128));
    const quoted = decodeIp(bytes).inner!;
    expect(quoted.payload!.subarray(0, 100)).toStrictEqual(payload.subarray(0, 100));
    expect(encodeIp(decodeIp(bytes))).toStrictEqual(bytes);
  });

  it("what is no quote stays a payload", () => {
    const p = Object.assign(error(tcp({}), 5), { inner: null, payload: bytesOf("4500002801") });
    expect(decodeIp(encodeIp(p))).toStrictEqual(p);
  });
});

describe("a fragment is read with its bytes, the first with its ports too", () => {
  const [first, last] = fragmentsOf(udp({ df: 0, payloadLength: 1472 }), 800) as [Packet, Packet];

  it("first", () => {
    const p = decodeIp(encodeIp(first));
    expect(p).toMatchObject({ mf: 1, fragOffset: 0, payloadLength: 800, sport: 40000, dport: 53 });
    expect(hex(p.payload!.subarray(0, 6))).toBe("9c40003505c8");
  });

  it("last", () => {
    const p = decodeIp(encodeIp(last));
    expect(p).toMatchObject({ mf: 0, fragOffset: 800, payloadLength: 680, sport: 0, payload: null });
  });
});

describe("decoding refuses", () => {
  const syn = encodeFrame(tcp({ tcpFlags: TCP_SYN, tcpOptions: TCPOPTS_SYN, mss: 1460 }));
  const changed = (frame: Uint8Array, ...changes: [offset: number, byte: number][]): Uint8Array => {
    const bytes = frame.slice();
    for (const [offset, byte] of changes) bytes[offset] = byte;
    return bytes;
  };
  const dns = encodeFrame(udp({ payloadLength: 8 }));
  const echo = encodeFrame(packetOf({ src, dst, protocol: IPPROTO_ICMP, icmpType: 8, payloadLength: 8 }));
  const sctp = encodeFrame(packetOf({ src, dst, protocol: IPPROTO_SCTP, payloadLength: 8 }));
  const arp = encodeFrame(packetOf({ etherType: ETH_P_ARP, arpOp: 1, src, dst }));
  const other = (payload: string, protocol: number): Uint8Array =>
    Uint8Array.from(
      encodeFrame(
        packetOf({ src, dst, protocol: 99, payload: bytesOf(payload), payloadLength: payload.length / 2 }),
      ),
      // the protocol is swapped afterwards and the header checksum with it
      (byte, i) => (i === 23 ? protocol : byte),
    );
  const rechecked = (frame: Uint8Array): Uint8Array => {
    const bytes = frame.slice();
    bytes.fill(0, 24, 26);
    let sum = 0;
    for (let i = 14; i < 34; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    bytes.set([(0xffff - sum) >>> 8, (0xffff - sum) & 0xff], 24);
    return bytes;
  };

  it.each<[string, Uint8Array, number, string]>([
    ["nothing", new Uint8Array(0), 0, "Ethernet header cut short: 0 of 14 bytes"],
    ["half an Ethernet header", syn.subarray(0, 10), 10, "Ethernet header cut short: 10 of 14 bytes"],
    ["IPv6", changed(syn, [12, 0x86], [13, 0xdd]), 12, "EtherType 0x86dd"],
    ["half an ARP packet", arp.subarray(0, 20), 20, "ARP packet cut short: 6 of 28 bytes"],
    ["ARP about something else", changed(arp, [15, 6]), 14, "ARP that is not about IPv4 over Ethernet"],
    ["half an IPv4 header", syn.subarray(0, 24), 24, "IPv4 header cut short: 10 of 20 bytes"],
    ["another IP version", changed(syn, [14, 0x65]), 14, "IP version 6"],
    ["a short IPv4 header", changed(syn, [14, 0x44]), 14, "IPv4 header of 16 bytes"],
    ["IP options", changed(syn, [14, 0x46]), 34, "IPv4 options"],
    ["a total length under 20", changed(syn, [16, 0], [17, 19]), 16, "IPv4 total length of 19 bytes"],
    ["a packet without its end", syn.subarray(0, 70), 70, "IPv4 packet cut short: 56 of 60 bytes"],
    ["a wrong IPv4 checksum", changed(syn, [22, 63]), 24, "IPv4 header checksum is wrong"],
    ["a wrong TCP checksum", changed(syn, [40, 1]), 50, "TCP checksum is wrong"],
    ["a short TCP header", changed(syn, [46, 0x40]), 46, "TCP header of 16 bytes in a segment of 40"],
    ["a long TCP header", changed(syn, [46, 0xf0]), 46, "TCP header of 60 bytes in a segment of 40"],
    ["SACK blocks", changed(syn, [54, 5], [55, 10]), 54, "TCP options that are not laid out as Linux does"],
    ["a wrong UDP checksum", changed(dns, [45, 1]), 40, "UDP checksum is wrong"],
    ["a wrong UDP length", changed(dns, [39, 15]), 38, "UDP length of 15 bytes in an IP payload of 16"],
    ["a wrong ICMP checksum", changed(echo, [36, 1]), 36, "ICMP checksum is wrong"],
    ["a wrong SCTP CRC32c", changed(sctp, [50, 1]), 42, "SCTP CRC32c is wrong"],
    ["half a UDP header", rechecked(other("9c400035", 17)), 38, "UDP header cut short: 4 of 8 bytes"],
    ["half a TCP header", rechecked(other("9c400035", 6)), 38, "TCP header cut short: 4 of 20 bytes"],
    ["half an ICMP header", rechecked(other("0800f7ff", 1)), 38, "ICMP header cut short: 4 of 8 bytes"],
    ["half an SCTP header", rechecked(other("9c400035", 132)), 38, "SCTP header cut short: 4 of 12 bytes"],
  ])("%s", (_, bytes, offset, reason) => {
    expect(() => decodeFrame(bytes)).toThrow(new DecodeError(offset, reason));
    try {
      decodeFrame(bytes);
    } catch (error) {
      expect(error).toMatchObject({
        name: "DecodeError",
        offset,
        reason,
        message: `byte ${offset}: ${reason}`,
      });
    }
  });

  it("reads bytes that lie in the middle of a buffer", () => {
    const buffer = new Uint8Array(200);
    buffer.set(syn, 37);
    expect(encodeFrame(decodeFrame(buffer.subarray(37, 37 + syn.length)))).toStrictEqual(syn);
  });
});

describe("encoding refuses a packet that contradicts itself", () => {
  const inner = tcp({});
  const datagram = udp({ payloadLength: 100 });
  it.each<[string, Packet]>([
    ["payload of another length", udp({ payloadLength: 3, payload: new Uint8Array(2) })],
    ["tunnel of another length", udp({ inner, payloadLength: 39 })],
    ["quote longer than the packet", tcp({ protocol: IPPROTO_ICMP, icmpType: 3, inner, payloadLength: 41 })],
    ["packet inside TCP", tcp({ inner, payloadLength: 40 })],
    ["fragment past its datagram", udp({ datagram, fragOffset: 96, payloadLength: 16 })],
    ["last fragment before its datagram's end", udp({ datagram, fragOffset: 96, payloadLength: 8 })],
    ["fragment offset that is no multiple of eight", udp({ fragOffset: 100 })],
    ["more than 65535 bytes", udp({ payloadLength: 65508 })],
    ["ARP as an IP packet", packetOf({ etherType: ETH_P_ARP })],
  ])("%s", (_, p) => {
    expect(() => encodeIp(p)).toThrow(RangeError);
  });

  it("but not the longest that fits", () => {
    expect(encodeIp(udp({ payloadLength: 65507 })).length).toBe(65535);
    expect(new Packet().payloadLength).toBe(0);
  });
});
