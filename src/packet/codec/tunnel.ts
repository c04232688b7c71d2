/**
 * Packets inside UDP.
 *
 * ```
 * flannel udp   | IP | UDP dport 8285 | IP packet |
 * vxlan         | IP | UDP dport 8472 | VXLAN header (8) | Ethernet frame |
 * ```
 */
import { ETH_P_ARP, ETH_P_IP, ipTotalLength, type Packet } from "../packet.ts";
import { ARP_LENGTH } from "./arp.ts";
import { ETH_HLEN } from "./ethernet.ts";
import { available, type Extent, viewOf } from "./extent.ts";
import { IP_HLEN, VERSION_AND_HEADER_LENGTH } from "./ipv4.ts";

/** UDP destination ports behind which packets are looked for. */
export interface TunnelPorts {
  readonly vxlan: readonly number[];
  readonly flannelUdp: readonly number[];
}

/** Linux's own and the IANA's port for VXLAN (drivers/net/vxlan), and flannel's default for its udp backend. */
export const DEFAULT_TUNNEL_PORTS: TunnelPorts = { vxlan: [8472, 4789], flannelUdp: [8285] };

/** Bytes of a VXLAN header (RFC 7348). */
export const VXLAN_HLEN = 8;

/** The flag that says the network identifier is valid, the rest of the word being reserved. */
const VXLAN_HF_VNI = 0x08000000;

/** The smallest quotable piece of a packet: an IP header and eight bytes (RFC 792). */
export const QUOTABLE = IP_HLEN + 8;

/** Bytes of the packet as an Ethernet frame, without padding. */
export function frameLength(p: Packet): number {
  return ETH_HLEN + (p.etherType === ETH_P_ARP ? ARP_LENGTH : ipTotalLength(p));
}

/**
 * The `payloadLength` of a UDP packet that carries `inner`: behind a VXLAN header when there is a network
 * identifier, as a bare IP packet when `vni` is -1.
 */
export function encapsulatedLength(inner: Packet, vni: number): number {
  return vni >= 0 ? VXLAN_HLEN + frameLength(inner) : ipTotalLength(inner);
}

/** A VXLAN packet around an Ethernet frame. */
export function encodeVxlan(vni: number, frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(VXLAN_HLEN + frame.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, VXLAN_HF_VNI);
  view.setUint32(4, vni * 256);
  bytes.set(frame, VXLAN_HLEN);
  return bytes;
}

/** The VXLAN network identifier of an extent that {@link tunnelIn} takes for VXLAN. */
export function vniOf(extent: Extent): number {
  return viewOf(extent).getUint32(4) >>> 8;
}

/**
 * What a UDP payload to port `dport` carries: a frame behind a VXLAN header, a bare IP packet, or neither. It is
 * a tunnel's only when the packet fills the payload to its last byte.
 */
export function tunnelIn(extent: Extent, dport: number, ports: TunnelPorts): "vxlan" | "flannel-udp" | null {
  if (ports.vxlan.includes(dport) && isVxlan(extent)) return "vxlan";
  if (ports.flannelUdp.includes(dport) && isIpPacket(extent, 0)) return "flannel-udp";
  return null;
}

function isVxlan(extent: Extent): boolean {
  if (available(extent) < VXLAN_HLEN + ETH_HLEN) return false;
  const view = viewOf(extent);
  if (view.getUint32(0) !== VXLAN_HF_VNI || view.getUint8(7) !== 0) return false;
  switch (view.getUint16(VXLAN_HLEN + 12)) {
    case ETH_P_ARP:
      return extent.length === VXLAN_HLEN + ETH_HLEN + ARP_LENGTH && available(extent) === extent.length;
    case ETH_P_IP:
      return isIpPacket(extent, VXLAN_HLEN + ETH_HLEN);
    default:
      return false;
  }
}

function isIpPacket(extent: Extent, offset: number): boolean {
  const there = available(extent) - offset;
  const length = extent.length - offset;
  if (there < Math.min(length, QUOTABLE) || there < IP_HLEN) return false;
  const view = viewOf(extent);
  return view.getUint8(offset) === VERSION_AND_HEADER_LENGTH && view.getUint16(offset + 2) === length;
}
