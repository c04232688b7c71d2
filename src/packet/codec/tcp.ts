import { internetChecksum, pseudoHeaderSum } from "../checksum.ts";
import { IPPROTO_TCP, type Packet } from "../packet.ts";
import {
  afterHeader,
  available,
  bytesOf,
  DecodeError,
  type Extent,
  isComplete,
  requireBytes,
  viewOf,
} from "./extent.ts";
import { decodeTcpOptions, encodeTcpOptions } from "./tcp-options.ts";

/** Bytes of a TCP header without options. */
const TCP_HLEN = 20;

/** The least that an ICMP error quotes of a transport header (RFC 792): ports and sequence number. */
const QUOTED_AT_LEAST = 8;

/** A TCP segment around `payload`, its checksum set; the urgent pointer is 0. */
export function encodeTcp(p: Packet, payload: Uint8Array): Uint8Array {
  const options = encodeTcpOptions(p);
  const headerLength = TCP_HLEN + options.length;
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, p.sport);
  view.setUint16(2, p.dport);
  view.setUint32(4, p.seq);
  view.setUint32(8, p.ack);
  view.setUint8(12, (headerLength / 4) << 4);
  view.setUint8(13, p.tcpFlags);
  view.setUint16(14, p.window);
  bytes.set(options, TCP_HLEN);
  bytes.set(payload, headerLength);
  view.setUint16(16, tcpChecksum(p, bytes));
  return bytes;
}

/**
 * Reads the TCP header into `p`; gives what follows. The urgent pointer is passed over.
 *
 * Of a segment that an ICMP error quotes, the header may be cut after its first eight bytes; what is not there is
 * left as it is in `p`.
 *
 * @throws DecodeError when the header is malformed, the checksum wrong, or the options are not laid out as Linux
 * does
 */
export function decodeTcp(extent: Extent, p: Packet): Extent {
  const cut = !isComplete(extent) && extent.length >= TCP_HLEN;
  requireBytes(extent, cut ? QUOTED_AT_LEAST : TCP_HLEN, "TCP header");
  const view = viewOf(extent);
  const there = available(extent);
  p.sport = view.getUint16(0);
  p.dport = view.getUint16(2);
  p.seq = view.getUint32(4);
  if (there >= 12) p.ack = view.getUint32(8);
  if (there >= 14) p.tcpFlags = view.getUint8(13);
  if (there >= 16) p.window = view.getUint16(14);
  const headerLength = there > 12 ? (view.getUint8(12) >> 4) * 4 : TCP_HLEN;
  if (headerLength < TCP_HLEN || headerLength > extent.length) {
    throw new DecodeError(
      extent.start + Math.min(12, there),
      `TCP header of ${headerLength} bytes in a segment of ${extent.length}`,
    );
  }
  const options = bytesOf(extent).subarray(TCP_HLEN, headerLength);
  if (!decodeTcpOptions(options, headerLength - TCP_HLEN, p)) {
    throw new DecodeError(extent.start + TCP_HLEN, "TCP options that are not laid out as Linux does");
  }
  if (isComplete(extent) && tcpChecksum(p, bytesOf(extent)) !== 0) {
    throw new DecodeError(extent.start + 16, "TCP checksum is wrong");
  }
  return afterHeader(extent, headerLength);
}

function tcpChecksum(p: Packet, segment: Uint8Array): number {
  const initial = pseudoHeaderSum(p.src, p.dst, IPPROTO_TCP, segment.length);
  return internetChecksum(segment, 0, segment.length, initial);
}
