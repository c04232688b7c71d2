import { refuse } from "./error.ts";

export interface MaskedAddress {
  /** Both as unsigned 32-bit integers. */
  readonly address: number;
  readonly mask: number;
}

/** A dotted quad in four decimal octets, without leading zeros. Null when it is not one. */
function tryAddress(text: string): number | null {
  const m = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(text);
  if (m === null) return null;
  let n = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(m[i]);
    if (octet > 255) return null;
    n = n * 256 + octet;
  }
  return n;
}

export function parseAddress(text: string, what: string): number {
  return tryAddress(text) ?? refuse(`${what}: "${text}" is not an IPv4 address`);
}

export const printAddress = (n: number): string =>
  `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

/** The mask of a prefix length, unsigned. */
export const prefixMask = (length: number): number =>
  length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;

/** The prefix length of a mask; -1 when its ones are not all in front. */
function maskPrefix(mask: number): number {
  const length = Math.clz32(~mask);
  return prefixMask(length) === mask ? length : -1;
}

/** `A.B.C.D[/LENGTH|/MASK]`, host bits cut off as iptables does. */
export function parseMasked(text: string, what: string): MaskedAddress {
  const { address, mask } = parseMaskedAsIs(text, what);
  return { address: (address & mask) >>> 0, mask };
}

/** The same, host bits kept. */
export function parseMaskedAsIs(text: string, what: string): MaskedAddress {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash), what);
  let mask = 0xffffffff;
  if (slash >= 0) {
    const m = text.slice(slash + 1);
    if (/^\d{1,2}$/.test(m) && Number(m) <= 32) mask = prefixMask(Number(m));
    else mask = tryAddress(m) ?? refuse(`${what}: "${m}" is neither a prefix length nor a mask`);
  }
  return { address, mask };
}

/** Address and mask, `/32` included (iptables/xshared.c: save_ipv4_addr). */
export function printMasked({ address, mask }: MaskedAddress): string {
  const length = maskPrefix(mask);
  return `${printAddress(address)}/${length >= 0 ? length : printAddress(mask)}`;
}

/** Address and mask without `/32` (libxtables: xtables_ipmask_to_numeric). */
export function printMaskedShort(masked: MaskedAddress): string {
  return masked.mask === 0xffffffff ? printAddress(masked.address) : printMasked(masked);
}
