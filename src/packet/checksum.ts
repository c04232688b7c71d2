/** The Internet checksum (RFC 1071) of IPv4, ICMP, TCP and UDP, and SCTP's CRC32c (RFC 9260, appendix A). */

/** Adds the big-endian 16-bit words of bytes[start, end) to `sum`; an odd last byte counts as a word's high half. */
function addWords(sum: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let total = sum;
  for (let i = start; i < end; i += 2) {
    total += (bytes[i]! << 8) | (i + 1 < end ? bytes[i + 1]! : 0);
  }
  return total;
}

/** Sum of the pseudo header that TCP and UDP checksum along with their segment of `length` bytes (RFC 9293, 3.1). */
export function pseudoHeaderSum(src: number, dst: number, protocol: number, length: number): number {
  return (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + length;
}

/** Folds a sum of words to 16 bits, carries added back in. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

/**
 * The Internet checksum of bytes[start, end), with `initial` (a pseudo header's sum) added in.
 *
 * Over bytes that hold their own right checksum the result is 0.
 */
export function internetChecksum(bytes: Uint8Array, start = 0, end = bytes.length, initial = 0): number {
  return 0xffff - fold(addWords(initial, bytes, start, end));
}

/** Table of the reflected Castagnoli polynomial. */
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

/** CRC32c of bytes[start, end), as an unsigned number; SCTP stores it least significant byte first. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffffffff;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ CRC32C[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
