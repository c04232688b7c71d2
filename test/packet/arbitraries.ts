/**
 * fast-check arbitraries of packets of every kind, in normal form: what decoding gives, so that a packet equals
 * what comes back from its bytes. Payloads of zeros are null, fields that a packet has no use for are untouched.
 */
import fc from "fast-check";
import { encapsulatedLength, encodeIp } from "../../src/packet/codec/index.ts";
import {
  ARPOP_REPLY,
  ARPOP_REQUEST,
  ETH_P_ARP,
  ICMP_DEST_UNREACH,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_FRAG_NEEDED,
  ICMP_PARAMETERPROB,
  ICMP_REDIRECT,
  ICMP_TIME_EXCEEDED,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isFragment,
  Packet,
  TCPOPT_MSS,
  transportHeaderLength,
} from "../../src/packet/packet.ts";

/** A packet with the given fields, everything else as `new Packet()` has it. */
export const packetOf = (fields: Partial<Packet>): Packet => Object.assign(new Packet(), fields);

export const ipv4Address = fc.nat({ max: 0xffffffff });
export const macAddress = fc.nat({ max: 0xffffffffffff });
const port = fc.nat({ max: 0xffff });
const uint16 = fc.nat({ max: 0xffff });
const uint32 = fc.nat({ max: 0xffffffff });
const bit = fc.constantFrom(0, 1);

const zeros = fc.nat({ max: 1600 }).map((payloadLength) => ({ payloadLength, payload: null }));
const content = fc
  .uint8Array({ minLength: 1, maxLength: 80 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((payload) => ({ payloadLength: payload.length, payload }));
const payload = fc.oneof(zeros, content);

const ipHeader = fc.record({
  tos: fc.nat({ max: 255 }),
  id: uint16,
  df: bit,
  ttl: fc.nat({ max: 255 }),
  src: ipv4Address,
  dst: ipv4Address,
});

/** A packet of several records of fields drawn one by one. */
const packetFrom = (...parts: fc.Arbitrary<Partial<Packet>>[]): fc.Arbitrary<Packet> =>
  fc.tuple(...parts).map((fields) => packetOf(Object.assign({}, ...fields)));

export const arp: fc.Arbitrary<Packet> = packetFrom(
  fc.record({
    etherType: fc.constant(ETH_P_ARP),
    dmac: macAddress,
    smac: macAddress,
    arpOp: fc.constantFrom(ARPOP_REQUEST, ARPOP_REPLY),
    arpSenderMac: macAddress,
    arpTargetMac: macAddress,
    src: ipv4Address,
    dst: ipv4Address,
  }),
);

export const tcp: fc.Arbitrary<Packet> = packetFrom(
  ipHeader,
  payload,
  fc.record({
    protocol: fc.constant(IPPROTO_TCP),
    sport: port,
    dport: port,
    tcpFlags: fc.nat({ max: 255 }),
    seq: uint32,
    ack: uint32,
    window: uint16,
    tcpOptions: fc.nat({ max: 15 }),
    mss: uint16,
  }),
).map((p) => (p.tcpOptions & TCPOPT_MSS ? p : Object.assign(p, { mss: 0 })));

export const udp: fc.Arbitrary<Packet> = packetFrom(
  ipHeader,
  payload,
  fc.record({ protocol: fc.constant(IPPROTO_UDP), sport: port, dport: port }),
);

/** One DATA chunk (RFC 9260, 3.3.1), which is what most SCTP packets are. */
const sctpData = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((userData) => {
  const chunk = new Uint8Array(16 + Math.ceil(userData.length / 4) * 4);
  chunk.set([0, 3, 0, 16 + userData.length]);
  chunk.set(userData, 16);
  return { payloadLength: chunk.length, payload: chunk };
});

export const sctp: fc.Arbitrary<Packet> = packetFrom(
  ipHeader,
  sctpData,
  fc.record({ protocol: fc.constant(IPPROTO_SCTP), sport: port, dport: port, seq: uint32 }),
);

export const icmpEcho: fc.Arbitrary<Packet> = packetFrom(
  ipHeader,
  payload,
  fc.record({
    protocol: fc.constant(IPPROTO_ICMP),
    icmpType: fc.constantFrom(ICMP_ECHO, ICMP_ECHOREPLY),
    icmpId: uint16,
    icmpSeq: uint16,
  }),
);

export const otherProtocol: fc.Arbitrary<Packet> = packetFrom(
  ipHeader,
  payload,
  fc.record({
    protocol: fc
      .nat({ max: 255 })
      .filter((n) => ![IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP].includes(n)),
  }),
);

/** Packets with a transport header of their own and nothing inside. */
const plain = fc.oneof(tcp, udp, sctp, icmpEcho);

const framed = (packet: fc.Arbitrary<Packet>): fc.Arbitrary<Packet> =>
  fc.tuple(packet, macAddress, macAddress).map(([p, dmac, smac]) => Object.assign(p.clone(), { dmac, smac }));

/** A UDP packet around a bare IP packet, as flannel's udp backend sends it. */
export const flannelUdp: fc.Arbitrary<Packet> = fc
  .tuple(ipHeader, fc.oneof(plain, otherProtocol), port)
  .map(([header, inner, sport]) =>
    packetOf({
      ...header,
      protocol: IPPROTO_UDP,
      sport,
      dport: 8285,
      inner,
      payloadLength: encapsulatedLength(inner, -1),
    }),
  );

/** A UDP packet around an Ethernet frame. */
export const vxlan: fc.Arbitrary<Packet> = fc
  .tuple(ipHeader, fc.oneof(arp, framed(plain)), port, fc.constantFrom(8472, 4789), fc.nat({ max: 0xffffff }))
  .map(([header, inner, sport, dport, vni]) =>
    packetOf({
      ...header,
      protocol: IPPROTO_UDP,
      sport,
      dport,
      inner,
      vni,
      payloadLength: encapsulatedLength(inner, vni),
    }),
  );

/** Kinds of ICMP errors with the information that goes with each. */
const icmpErrorKind: fc.Arbitrary<Partial<Packet>> = fc.oneof(
  fc.record({
    icmpType: fc.constant(ICMP_DEST_UNREACH),
    icmpCode: fc.nat({ max: 15 }).filter((code) => code !== ICMP_FRAG_NEEDED),
  }),
  fc.record({
    icmpType: fc.constant(ICMP_DEST_UNREACH),
    icmpCode: fc.constant(ICMP_FRAG_NEEDED),
    icmpInfo: uint16,
  }),
  fc.record({ icmpType: fc.constant(ICMP_TIME_EXCEEDED), icmpCode: bit }),
  fc.record({ icmpType: fc.constant(ICMP_REDIRECT), icmpCode: fc.nat({ max: 3 }), icmpInfo: ipv4Address }),
  fc.record({ icmpType: fc.constant(ICMP_PARAMETERPROB), icmpInfo: fc.nat({ max: 255 }) }),
);

/** An ICMP error that quotes the first `share` (0 to 1) of the bytes between `least` and the whole of `inner`. */
function icmpErrorAbout(inner: Packet, least: number, share: number, fields: Partial<Packet>): Packet {
  const whole = ipTotalLength(inner);
  const payloadLength = whole - Math.floor((1 - share) * Math.max(0, whole - least));
  return packetOf({ ...fields, protocol: IPPROTO_ICMP, inner, payloadLength });
}

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Bytes that must be quoted for every field and every byte that is not zero to be among them. */
function fullyQuoted(p: Packet): number {
  if (p.payload !== null || p.inner !== null || isFragment(p)) return ipTotalLength(p);
  return Math.max(28, 20 + transportHeaderLength(p));
}

/** An ICMP error whose quote holds all that its packet is made of. */
export const icmpError: fc.Arbitrary<Packet> = fc
  .tuple(ipHeader, icmpErrorKind, fc.oneof(plain, flannelUdp, vxlan, otherProtocol), share)
  .map(([header, kind, inner, part]) =>
    icmpErrorAbout(inner, fullyQuoted(inner), part, { ...header, ...kind }),
  );

/** An ICMP error whose quote ends anywhere after the transport header of TCP, or RFC 792's eight bytes. */
export const icmpErrorCutAnywhere: fc.Arbitrary<Packet> = fc
  .tuple(ipHeader, icmpErrorKind, fc.oneof(tcp, udp, icmpEcho, flannelUdp, vxlan, otherProtocol), share)
  .map(([header, kind, inner, part]) =>
    icmpErrorAbout(inner, inner.protocol === IPPROTO_TCP ? 20 + transportHeaderLength(inner) : 28, part, {
      ...header,
      ...kind,
    }),
  )
  // the one thing that a cut quote cannot give back is a checksum over a last word that is not in it
  .filter(
    (p) => p.payloadLength === ipTotalLength(p.inner!) || p.payloadLength < ipTotalLength(p.inner!) - 3,
  );

/**
 * The fragments of a datagram, with at most `size` bytes (rounded down to a multiple of eight) after each IP header,
 * each a piece of `datagram`.
 */
export function fragmentsOf(datagram: Packet, size: number): Packet[] {
  const total = ipTotalLength(datagram) - 20;
  const step = Math.max(8, size - (size % 8));
  const fragments: Packet[] = [];
  for (let fragOffset = 0; fragOffset < total; fragOffset += step) {
    const payloadLength = Math.min(step, total - fragOffset);
    const { tos, id, ttl, protocol, src, dst, dmac, smac } = datagram;
    const ports = { sport: datagram.sport, dport: datagram.dport };
    const { icmpType, icmpCode, icmpId, icmpSeq, icmpInfo } = datagram;
    fragments.push(
      packetOf({
        ...{ tos, id, ttl, protocol, src, dst, dmac, smac },
        ...(fragOffset === 0 ? { ...ports, icmpType, icmpCode, icmpId, icmpSeq, icmpInfo } : {}),
        ...{ fragOffset, mf: fragOffset + payloadLength < total ? 1 : 0, payloadLength, datagram },
      }),
    );
  }
  return fragments;
}

/** A fragment as it is after a journey as bytes: with its own bytes, its datagram not known. */
export function detached(fragment: Packet): Packet {
  const payload = encodeIp(fragment).slice(20);
  return Object.assign(fragment.clone(), {
    datagram: null,
    payload: payload.every((byte) => byte === 0) ? null : payload,
  });
}

/** All the fragments of one datagram, in order; at least two. */
export const fragments: fc.Arbitrary<Packet[]> = fc
  .tuple(
    plain.filter((p) => ipTotalLength(p) > 28),
    share,
  )
  .map(([datagram, part]) => {
    const whole = ipTotalLength(datagram) - 20;
    return fragmentsOf(datagram, Math.max(Math.ceil(whole / 20), Math.floor((whole - 1) * part)));
  })
  .filter((pieces) => pieces.length > 1);

/** One fragment, as it is decoded. */
export const fragment: fc.Arbitrary<Packet> = fc
  .tuple(fragments, fc.nat())
  .map(([pieces, n]) => detached(pieces[n % pieces.length]!));

/** Every kind of packet without an Ethernet header. */
const ipPacket: fc.Arbitrary<Packet> = fc.oneof(
  tcp,
  udp,
  sctp,
  icmpEcho,
  icmpError,
  otherProtocol,
  flannelUdp,
  vxlan,
  fragment,
);

/** Every kind of packet as a frame. */
export const frame: fc.Arbitrary<Packet> = fc.oneof(arp, framed(ipPacket));
