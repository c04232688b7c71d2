import { crc32c } from "../checksum.ts";
import type { Packet } from "../packet.ts";
import {
  afterHeader,
  bytesOf,
  DecodeError,
  type Extent,
  isComplete,
  requireBytes,
  viewOf,
} from "./extent.ts";

/** Bytes of SCTP's common header; the chunks after it are payload. */
const SCTP_HLEN = 12;

/** The least that an ICMP error quotes of a transport header (RFC 792): ports and verification tag. */
const QUOTED_AT_LEAST = 8;

/** An SCTP packet around its chunks, its CRC32c set; `p.seq` is the verification tag. */
export function encodeSctp(p: Packet, chunks: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(SCTP_HLEN + chunks.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, p.sport);
  view.setUint16(2, p.dport);
  view.setUint32(4, p.seq);
  bytes.set(chunks, SCTP_HLEN);
  view.setUint32(8, crc32c(bytes), true);
  return bytes;
}

/**
 * Reads the common header into `p`, the verification tag into `p.seq`; gives the chunks.
 *
 * @throws DecodeError when the header is cut short or the CRC32c wrong
 */
export function decodeSctp(extent: Extent, p: Packet): Extent {
  const cut = !isComplete(extent) && extent.length >= SCTP_HLEN;
  requireBytes(extent, cut ? QUOTED_AT_LEAST : SCTP_HLEN, "SCTP header");
  const view = viewOf(extent);
  p.sport = view.getUint16(0);
  p.dport = view.getUint16(2);
  p.seq = view.getUint32(4);
  if (isComplete(extent)) {
    const checked = Uint8Array.from(bytesOf(extent));
    checked.fill(0, 8, SCTP_HLEN);
    if (crc32c(checked) !== view.getUint32(8, true)) {
      throw new DecodeError(extent.start + 8, "SCTP CRC32c is wrong");
    }
  }
  return afterHeader(extent, SCTP_HLEN);
}
