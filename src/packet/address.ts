/** IPv4 and MAC addresses as numbers, and their text. All IPv4 results are unsigned 32-bit integers. */

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/** Dotted-quad text of an unsigned 32-bit address. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/**
 * The unsigned 32-bit address of a dotted quad.
 *
 * An octet with a leading zero is refused, since programs disagree on whether it is octal (CVE-2021-28918).
 *
 * @throws RangeError naming the text when it is no address.
 */
export function parseIpv4(text: string): number {
  const octets = text.split(".");
  let address = 0;
  for (const octet of octets) {
    if (octets.length !== 4 || !OCTET.test(octet) || Number(octet) > 255) {
      throw new RangeError(`not an IPv4 address: ${JSON.stringify(text)}`);
    }
    address = address * 256 + Number(octet);
  }
  return address;
}

/** Text of a MAC address as `ip link` prints it: six lower-case hexadecimal octets with colons. */
export function formatMac(mac: number): string {
  const high = Math.floor(mac / 0x1000000);
  const low = mac % 0x1000000;
  return `${octets(high)}:${octets(low)}`;
}

const OCTETS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

/** Three octets of a MAC address. */
const octets = (three: number): string =>
  `${OCTETS[three >>> 16]}:${OCTETS[(three >>> 8) & 0xff]}:${OCTETS[three & 0xff]}`;

/**
 * The number, below 2^48, of a MAC address written as six two-digit octets with colons.
 *
 * @throws RangeError naming the text when it is no MAC address.
 */
export function parseMac(text: string): number {
  if (!MAC.test(text)) throw new RangeError(`not a MAC address: ${JSON.stringify(text)}`);
  return Number.parseInt(text.replaceAll(":", ""), 16);
}

/**
 * The mask of a prefix length: 24 gives 0xffffff00.
 *
 * @throws RangeError when the length is not an integer from 0 to 32.
 */
export function netmask(prefixLength: number): number {
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) {
    throw new RangeError(`not an IPv4 prefix length: ${prefixLength}`);
  }
  // a shift count is taken modulo 32, so 0 needs its own answer
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

/**
 * The prefix length of a mask: 0xffffff00 gives 24.
 *
 * @throws RangeError when the ones of the mask are not all at its left end.
 */
export function prefixLengthOf(mask: number): number {
  const prefixLength = Math.clz32(~mask);
  if (netmask(prefixLength) !== mask >>> 0) {
    throw new RangeError(`not a contiguous IPv4 mask: ${formatIpv4(mask)}`);
  }
  return prefixLength;
}

/** First address of the block that `address` lies in. */
export function networkOf(address: number, prefixLength: number): number {
  return (address & netmask(prefixLength)) >>> 0;
}

/** Last address of the block that `address` lies in. */
export function broadcastOf(address: number, prefixLength: number): number {
  return (address | ~netmask(prefixLength)) >>> 0;
}

/** Does `address` lie in the block of `network`/`prefixLength`? Host bits of `network` do not count. */
export function contains(network: number, prefixLength: number, address: number): boolean {
  return ((network ^ address) & netmask(prefixLength)) === 0;
}
