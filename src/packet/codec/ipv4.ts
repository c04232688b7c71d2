import { internetChecksum } from "../checksum.ts";
import type { Packet } from "../packet.ts";
import { afterHeader, bytesOf, DecodeError, type Extent, requireBytes, viewOf } from "./extent.ts";

/** Bytes of an IPv4 header without options. */
export const IP_HLEN = 20;

/** First byte of an IPv4 header without options. */
export const VERSION_AND_HEADER_LENGTH = 0x45;

const IP_DF = 0x4000;
const IP_MF = 0x2000;
const IP_OFFSET = 0x1fff;

/**
 * An IPv4 packet around `payload`, the header's checksum set.
 *
 * @throws RangeError when it is longer than IPv4 allows, or `fragOffset` cannot be written in units of eight
 */
export function encodeIpv4(p: Packet, payload: Uint8Array): Uint8Array {
  const totalLength = IP_HLEN + payload.length;
  if (totalLength > 0xffff) throw new RangeError(`an IPv4 packet of ${totalLength} bytes`);
  if (p.fragOffset % 8 !== 0 || p.fragOffset / 8 > IP_OFFSET) {
    throw new RangeError(`a fragment offset of ${p.fragOffset} bytes`);
  }
  const bytes = new Uint8Array(totalLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION_AND_HEADER_LENGTH);
  view.setUint8(1, p.tos);
  view.setUint16(2, totalLength);
  view.setUint16(4, p.id);
  view.setUint16(6, (p.df ? IP_DF : 0) | (p.mf ? IP_MF : 0) | (p.fragOffset / 8));
  view.setUint8(8, p.ttl);
  view.setUint8(9, p.protocol);
  view.setUint32(12, p.src);
  view.setUint32(16, p.dst);
  view.setUint16(10, internetChecksum(bytes, 0, IP_HLEN));
  bytes.set(payload, IP_HLEN);
  return bytes;
}

/**
 * Reads the IPv4 header into `p`; gives what follows, without the padding of a short Ethernet frame.
 *
 * @throws DecodeError when the header is malformed, its checksum wrong, the packet cut short, or there are IP
 * options
 */
export function decodeIpv4(extent: Extent, p: Packet): Extent {
  requireBytes(extent, IP_HLEN, "IPv4 header");
  const view = viewOf(extent);
  const first = view.getUint8(0);
  const totalLength = view.getUint16(2);
  if (first >> 4 !== 4) throw new DecodeError(extent.start, `IP version ${first >> 4}`);
  if ((first & 0xf) < 5) throw new DecodeError(extent.start, `IPv4 header of ${(first & 0xf) * 4} bytes`);
  if (first !== VERSION_AND_HEADER_LENGTH) throw new DecodeError(extent.start + IP_HLEN, "IPv4 options");
  if (totalLength < IP_HLEN) {
    throw new DecodeError(extent.start + 2, `IPv4 total length of ${totalLength} bytes`);
  }
  if (totalLength > extent.length) {
    throw new DecodeError(extent.end, `IPv4 packet cut short: ${extent.length} of ${totalLength} bytes`);
  }
  if (internetChecksum(bytesOf(extent), 0, IP_HLEN) !== 0) {
    throw new DecodeError(extent.start + 10, "IPv4 header checksum is wrong");
  }
  const fragment = view.getUint16(6);
  p.tos = view.getUint8(1);
  p.id = view.getUint16(4);
  p.df = fragment & IP_DF ? 1 : 0;
  p.mf = fragment & IP_MF ? 1 : 0;
  p.fragOffset = (fragment & IP_OFFSET) * 8;
  p.ttl = view.getUint8(8);
  p.protocol = view.getUint8(9);
  p.src = view.getUint32(12);
  p.dst = view.getUint32(16);
  const end = Math.min(extent.end, extent.start + totalLength);
  return afterHeader({ ...extent, end, length: totalLength }, IP_HLEN);
}
