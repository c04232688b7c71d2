import { internetChecksum, pseudoHeaderSum } from "../checksum.ts";
import { IPPROTO_UDP, type Packet } from "../packet.ts";
import {
  afterHeader,
  bytesOf,
  DecodeError,
  type Extent,
  isComplete,
  requireBytes,
  viewOf,
} from "./extent.ts";

/** Bytes of a UDP header. */
const UDP_HLEN = 8;

/** A UDP datagram around `payload`, its checksum set (net/ipv4/udp.c: a sum of 0 is sent as 0xffff). */
export function encodeUdp(p: Packet, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(UDP_HLEN + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, p.sport);
  view.setUint16(2, p.dport);
  view.setUint16(4, bytes.length);
  bytes.set(payload, UDP_HLEN);
  view.setUint16(6, udpChecksum(p, bytes) || 0xffff);
  return bytes;
}

/**
 * Reads the UDP header into `p`; gives what follows. A checksum of 0 (none) is accepted, and comes back as a
 * right one when the packet is encoded again.
 *
 * @throws DecodeError when the header is malformed or the checksum wrong
 */
export function decodeUdp(extent: Extent, p: Packet): Extent {
  requireBytes(extent, UDP_HLEN, "UDP header");
  const view = viewOf(extent);
  const length = view.getUint16(4);
  if (length !== extent.length) {
    throw new DecodeError(
      extent.start + 4,
      `UDP length of ${length} bytes in an IP payload of ${extent.length}`,
    );
  }
  p.sport = view.getUint16(0);
  p.dport = view.getUint16(2);
  if (isComplete(extent) && view.getUint16(6) !== 0 && udpChecksum(p, bytesOf(extent)) !== 0) {
    throw new DecodeError(extent.start + 6, "UDP checksum is wrong");
  }
  return afterHeader(extent, UDP_HLEN);
}

function udpChecksum(p: Packet, datagram: Uint8Array): number {
  const initial = pseudoHeaderSum(p.src, p.dst, IPPROTO_UDP, datagram.length);
  return internetChecksum(datagram, 0, datagram.length, initial);
}
