import { fold } from "../checksum.ts";
import {
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isFragment,
  type Packet,
  transportHeaderLength,
} from "../packet.ts";
import { encodeIp } from "./encode.ts";
import { available, bytesOf, type Extent, viewOf } from "./extent.ts";
import { IP_HLEN, VERSION_AND_HEADER_LENGTH } from "./ipv4.ts";
import { QUOTABLE } from "./tunnel.ts";

/** Where the transport checksum lies, counted from the IP header. */
const CHECKSUM_OFFSETS: ReadonlyMap<number, number> = new Map([
  [IPPROTO_ICMP, IP_HLEN + 2],
  [IPPROTO_UDP, IP_HLEN + 6],
  [IPPROTO_TCP, IP_HLEN + 16],
]);

/**
 * Is what an ICMP error carries a quoted packet? It is when it begins with an IP header without options, at least
 * eight bytes follow (or all there are), and nothing stands after the packet (as an extension of RFC 4884 would).
 */
export function isQuote(extent: Extent): boolean {
  const there = available(extent);
  if (there < IP_HLEN) return false;
  const view = viewOf(extent);
  const totalLength = view.getUint16(2);
  return (
    view.getUint8(0) === VERSION_AND_HEADER_LENGTH &&
    there >= Math.min(QUOTABLE, totalLength) &&
    extent.length <= totalLength
  );
}

/**
 * Makes a packet read from a quote encode to the quote's very bytes.
 *
 * The quote is the beginning of a packet, the packet's checksum is over all of it, and bytes that were not quoted
 * are taken for zeros. Where the checksum says they were not, one word after the quote's end is given the value
 * that makes it right. (There is none to give when the quote ends at the packet's last word, nor for SCTP.)
 */
export function settleQuotedPayload(quoted: Packet, extent: Extent): void {
  const quote = bytesOf(extent);
  const offset = CHECKSUM_OFFSETS.get(quoted.protocol);
  if (offset === undefined || isFragment(quoted) || quote.length < offset + 2) return;
  if (startsWith(encodeIp(quoted), quote)) return;

  const headerLength = IP_HLEN + transportHeaderLength(quoted);
  const payload = new Uint8Array(ipTotalLength(quoted) - headerLength);
  payload.set(quote.subarray(headerLength));
  const unseen = Math.ceil(Math.max(0, quote.length - headerLength) / 2) * 2;
  if (unseen + 2 > payload.length) return;
  quoted.inner = null;
  quoted.vni = -1;
  quoted.payload = payload;
  const checksum = wordAt(encodeIp(quoted), offset);
  const word = fold(checksum + 0xffff - wordAt(quote, offset));
  payload[unseen] = word >>> 8;
  payload[unseen + 1] = word & 0xff;
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, i) => byte === bytes[i]);
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}
