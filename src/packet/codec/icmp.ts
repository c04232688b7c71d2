import { internetChecksum } from "../checksum.ts";
import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_PARAMETERPROB,
  ICMP_REDIRECT,
  isIcmpError,
  type Packet,
} from "../packet.ts";
import {
  afterHeader,
  bytesOf,
  DecodeError,
  type Extent,
  isComplete,
  requireBytes,
  viewOf,
} from "./extent.ts";

/** Bytes of an ICMP header; what an error quotes comes after it. */
export const ICMP_HLEN = 8;

/**
 * An ICMP message around `payload` (of an error: the quote), its checksum set.
 *
 * `p.icmpInfo` is the next-hop MTU of a frag-needed error (RFC 1191), the gateway of a redirect and the pointer of
 * a parameter problem (RFC 792).
 */
export function encodeIcmp(p: Packet, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ICMP_HLEN + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, p.icmpType);
  view.setUint8(1, p.icmpCode);
  if (!isIcmpError(p)) {
    view.setUint16(4, p.icmpId);
    view.setUint16(6, p.icmpSeq);
  } else if (hasMtu(p)) {
    view.setUint16(6, p.icmpInfo);
  } else if (p.icmpType === ICMP_REDIRECT) {
    view.setUint32(4, p.icmpInfo);
  } else if (p.icmpType === ICMP_PARAMETERPROB) {
    view.setUint8(4, p.icmpInfo);
  }
  bytes.set(payload, ICMP_HLEN);
  view.setUint16(2, internetChecksum(bytes));
  return bytes;
}

/**
 * Reads the ICMP header into `p`; gives what follows.
 *
 * @throws DecodeError when the header is cut short or the checksum wrong
 */
export function decodeIcmp(extent: Extent, p: Packet): Extent {
  requireBytes(extent, ICMP_HLEN, "ICMP header");
  if (isComplete(extent) && internetChecksum(bytesOf(extent)) !== 0) {
    throw new DecodeError(extent.start + 2, "ICMP checksum is wrong");
  }
  readIcmpHeader(extent, p);
  return afterHeader(extent, ICMP_HLEN);
}

/** Reads the eight bytes of an ICMP header into `p` without judging the checksum. */
export function readIcmpHeader(extent: Extent, p: Packet): void {
  const view = viewOf(extent);
  p.icmpType = view.getUint8(0);
  p.icmpCode = view.getUint8(1);
  if (!isIcmpError(p)) {
    p.icmpId = view.getUint16(4);
    p.icmpSeq = view.getUint16(6);
  } else if (hasMtu(p)) {
    p.icmpInfo = view.getUint16(6);
  } else if (p.icmpType === ICMP_REDIRECT) {
    p.icmpInfo = view.getUint32(4);
  } else if (p.icmpType === ICMP_PARAMETERPROB) {
    p.icmpInfo = view.getUint8(4);
  }
}

function hasMtu(p: Packet): boolean {
  return p.icmpType === ICMP_DEST_UNREACH && p.icmpCode === ICMP_FRAG_NEEDED;
}
