/**
 * A stretch of the bytes being decoded.
 *
 * `end - start` bytes are there and `length` are meant: the two differ only inside an ICMP error, which quotes
 * the beginning of a packet. The length of a quoted packet is not known before its IP header: Infinity.
 */
export interface Extent {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly length: number;
}

/** Bytes that are no packet, or one that a `Packet` has no room for. */
export class DecodeError extends Error {
  /** Where in the input the fault lies, in bytes. */
  readonly offset: number;
  /** What is wrong there, without the offset. */
  readonly reason: string;

  constructor(offset: number, reason: string) {
    super(`byte ${offset}: ${reason}`);
    this.name = "DecodeError";
    this.offset = offset;
    this.reason = reason;
  }
}

/** All of `bytes`, which are all that is meant. */
export function wholeExtent(bytes: Uint8Array): Extent {
  return { bytes, start: 0, end: bytes.length, length: bytes.length };
}

/** How many bytes of the extent are there. */
export function available(extent: Extent): number {
  return extent.end - extent.start;
}

/** Are all the bytes there that are meant? */
export function isComplete(extent: Extent): boolean {
  return available(extent) === extent.length;
}

/** The bytes that are there, not copied. */
export function bytesOf(extent: Extent): Uint8Array {
  return extent.bytes.subarray(extent.start, extent.end);
}

/** A view of the bytes that are there; offset 0 is the extent's start. */
export function viewOf(extent: Extent): DataView {
  return new DataView(extent.bytes.buffer, extent.bytes.byteOffset + extent.start, available(extent));
}

/** What follows the first `count` bytes. */
export function afterHeader(extent: Extent, count: number): Extent {
  return {
    bytes: extent.bytes,
    start: Math.min(extent.start + count, extent.end),
    end: extent.end,
    length: extent.length - count,
  };
}

/** @throws DecodeError when fewer than `count` bytes of `what` are there */
export function requireBytes(extent: Extent, count: number, what: string): void {
  if (available(extent) < count) {
    throw new DecodeError(extent.end, `${what} cut short: ${available(extent)} of ${count} bytes`);
  }
}
