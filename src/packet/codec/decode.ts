import {
  ETH_P_ARP,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  isFragment,
  isIcmpError,
  Packet,
} from "../packet.ts";
import { decodeArp } from "./arp.ts";
import { decodeEthernet } from "./ethernet.ts";
import { afterHeader, available, bytesOf, type Extent, viewOf, wholeExtent } from "./extent.ts";
import { decodeIcmp, ICMP_HLEN, readIcmpHeader } from "./icmp.ts";
import { decodeIpv4 } from "./ipv4.ts";
import { isQuote, settleQuotedPayload } from "./quote.ts";
import { decodeSctp } from "./sctp.ts";
import { decodeTcp } from "./tcp.ts";
import { DEFAULT_TUNNEL_PORTS, type TunnelPorts, tunnelIn, VXLAN_HLEN, vniOf } from "./tunnel.ts";
import { decodeUdp } from "./udp.ts";

export interface DecodeOptions {
  /** Where packets inside UDP are looked for; {@link DEFAULT_TUNNEL_PORTS} when left out. */
  readonly tunnelPorts?: TunnelPorts;
}

/**
 * The packet of an Ethernet frame. Padding after it is passed over.
 *
 * A payload of zeros is given as null. A fragment has its bytes as payload, and the first one its ports or ICMP
 * fields besides. What an ICMP error carries is `inner` where it is a quoted packet, `payload` otherwise.
 *
 * Every checksum is verified. Values that a Packet has no field for and that do not change lengths are passed over
 * (TCP timestamps, window scale and urgent pointer, reserved bits).
 *
 * @throws DecodeError when the bytes are cut short, malformed, have a wrong checksum, or something that a Packet
 * has no room for (an EtherType other than IPv4 and ARP, IP options, TCP options other than Linux's)
 */
export function decodeFrame(bytes: Uint8Array, options: DecodeOptions = {}): Packet {
  return readFrame(wholeExtent(bytes), options.tunnelPorts ?? DEFAULT_TUNNEL_PORTS);
}

/**
 * The packet of bytes that begin with an IP header, as on a TUN device; otherwise as {@link decodeFrame}.
 *
 * @throws DecodeError as {@link decodeFrame}
 */
export function decodeIp(bytes: Uint8Array, options: DecodeOptions = {}): Packet {
  return readIp(wholeExtent(bytes), new Packet(), options.tunnelPorts ?? DEFAULT_TUNNEL_PORTS);
}

function readFrame(frame: Extent, ports: TunnelPorts): Packet {
  const p = new Packet();
  const content = decodeEthernet(frame, p);
  if (p.etherType !== ETH_P_ARP) return readIp(content, p, ports);
  decodeArp(content, p);
  return p;
}

function readIp(extent: Extent, p: Packet, ports: TunnelPorts): Packet {
  const content = decodeIpv4(extent, p);
  if (isFragment(p)) readFragment(content, p);
  else readTransport(content, p, ports);
  return p;
}

function readTransport(content: Extent, p: Packet, ports: TunnelPorts): void {
  switch (p.protocol) {
    case IPPROTO_TCP:
      readPayload(decodeTcp(content, p), p);
      return;
    case IPPROTO_UDP:
      readUdpPayload(decodeUdp(content, p), p, ports);
      return;
    case IPPROTO_SCTP:
      readPayload(decodeSctp(content, p), p);
      return;
    case IPPROTO_ICMP:
      readIcmpPayload(decodeIcmp(content, p), p, ports);
      return;
    default:
      readPayload(content, p);
  }
}

function readFragment(content: Extent, p: Packet): void {
  readPayload(content, p);
  if (p.fragOffset !== 0) return;
  switch (p.protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
      if (available(content) < 4) return;
      p.sport = viewOf(content).getUint16(0);
      p.dport = viewOf(content).getUint16(2);
      return;
    case IPPROTO_ICMP:
      if (available(content) >= ICMP_HLEN) readIcmpHeader(content, p);
  }
}

function readPayload(extent: Extent, p: Packet): void {
  const there = bytesOf(extent);
  p.payloadLength = extent.length;
  if (there.every((byte) => byte === 0)) return;
  p.payload = new Uint8Array(extent.length);
  p.payload.set(there);
}

function readUdpPayload(extent: Extent, p: Packet, ports: TunnelPorts): void {
  switch (tunnelIn(extent, p.dport, ports)) {
    case "vxlan":
      p.payloadLength = extent.length;
      p.vni = vniOf(extent);
      p.inner = readFrame(afterHeader(extent, VXLAN_HLEN), ports);
      return;
    case "flannel-udp":
      p.payloadLength = extent.length;
      p.inner = readIp(extent, new Packet(), ports);
      return;
    case null:
      readPayload(extent, p);
  }
}

function readIcmpPayload(extent: Extent, p: Packet, ports: TunnelPorts): void {
  if (!isIcmpError(p) || !isQuote(extent)) {
    readPayload(extent, p);
    return;
  }
  p.payloadLength = extent.length;
  // how long the quoted packet was, only its own header says
  const quoted = readIp({ ...extent, length: Number.POSITIVE_INFINITY }, new Packet(), ports);
  settleQuotedPayload(quoted, extent);
  p.inner = quoted;
}
