import {
  ETH_P_ARP,
  ETH_P_IP,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  isFragment,
  isIcmpError,
  type Packet,
} from "../packet.ts";
import { encodeArp } from "./arp.ts";
import { encodeEthernet } from "./ethernet.ts";
import { encodeIcmp } from "./icmp.ts";
import { encodeIpv4 } from "./ipv4.ts";
import { encodeSctp } from "./sctp.ts";
import { encodeTcp } from "./tcp.ts";
import { encapsulatedLength, encodeVxlan } from "./tunnel.ts";
import { encodeUdp } from "./udp.ts";

/**
 * The packet's bytes as an Ethernet frame, all checksums right; short frames are not padded.
 *
 * @throws RangeError when the packet contradicts itself (its lengths and its content differ) or is too long
 */
export function encodeFrame(p: Packet): Uint8Array {
  return encodeEthernet(p, p.etherType === ETH_P_ARP ? encodeArp(p) : encodeIp(p));
}

/**
 * The packet's bytes from its IP header on, as on a TUN device.
 *
 * @throws RangeError as {@link encodeFrame}, and when it is no IP packet
 */
export function encodeIp(p: Packet): Uint8Array {
  if (p.etherType !== ETH_P_IP) throw new RangeError(`EtherType 0x${p.etherType.toString(16)} is not IPv4`);
  return encodeIpv4(p, isFragment(p) ? fragmentBytes(p) : encodeTransport(p));
}

function encodeTransport(p: Packet): Uint8Array {
  const payload = payloadBytes(p);
  switch (p.protocol) {
    case IPPROTO_TCP:
      return encodeTcp(p, payload);
    case IPPROTO_UDP:
      return encodeUdp(p, payload);
    case IPPROTO_SCTP:
      return encodeSctp(p, payload);
    case IPPROTO_ICMP:
      return encodeIcmp(p, payload);
    default:
      return payload;
  }
}

/** A fragment's piece of its datagram, or its own bytes where the datagram is not known. */
function fragmentBytes(p: Packet): Uint8Array {
  if (p.datagram === null) return ownBytes(p);
  const whole = encodeTransport(p.datagram);
  const end = p.fragOffset + p.payloadLength;
  if (end > whole.length || (p.mf === 0 && end !== whole.length)) {
    throw new RangeError(`a fragment of bytes ${p.fragOffset} to ${end} in a datagram of ${whole.length}`);
  }
  return whole.subarray(p.fragOffset, end);
}

function payloadBytes(p: Packet): Uint8Array {
  if (p.inner === null) return ownBytes(p);
  if (p.protocol === IPPROTO_UDP) return tunnelledBytes(p, p.inner);
  if (isIcmpError(p)) return quotedBytes(p, p.inner);
  throw new RangeError(`IP protocol ${p.protocol} carries no packet inside`);
}

function ownBytes(p: Packet): Uint8Array {
  if (p.payload === null) return new Uint8Array(p.payloadLength);
  if (p.payload.length !== p.payloadLength) {
    throw new RangeError(`payloadLength ${p.payloadLength}, but ${p.payload.length} bytes of payload`);
  }
  return p.payload;
}

function tunnelledBytes(p: Packet, inner: Packet): Uint8Array {
  const expected = encapsulatedLength(inner, p.vni);
  if (p.payloadLength !== expected) {
    throw new RangeError(`payloadLength ${p.payloadLength}, but the packet inside takes ${expected} bytes`);
  }
  return p.vni >= 0 ? encodeVxlan(p.vni, encodeFrame(inner)) : encodeIp(inner);
}

function quotedBytes(p: Packet, inner: Packet): Uint8Array {
  const whole = encodeIp(inner);
  if (p.payloadLength > whole.length) {
    throw new RangeError(`${p.payloadLength} bytes quoted of a packet of ${whole.length}`);
  }
  return whole.subarray(0, p.payloadLength);
}
