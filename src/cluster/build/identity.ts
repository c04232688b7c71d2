/** What programs draw at random once (MAC addresses, names of veths) drawn from names, so that equal input gives equal output. */

const UNICAST_LOCAL = 0x02;

/** 32 bits that stand for a text: FNV-1a with a final mix, so that texts that differ in one digit differ everywhere. */
export function stableHash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A MAC address as the kernel gives one to a new device (include/linux/etherdevice.h: eth_random_addr): unicast,
 * locally administered, the rest random. Below 2^48.
 */
export function randomMac(text: string): number {
  const first = ((stableHash(`${text}#0`) & 0xfc) | UNICAST_LOCAL) * 2 ** 40;
  return first + (stableHash(`${text}#1`) & 0xff) * 2 ** 32 + stableHash(text);
}

/** The last `digits` (at most 8) hexadecimal digits of the text's hash. */
export function stableHex(text: string, digits: number): string {
  return stableHash(text)
    .toString(16)
    .padStart(8, "0")
    .slice(8 - digits);
}
