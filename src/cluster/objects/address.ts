/**
 * IPv4 addresses and blocks as Kubernetes objects write them: dotted quads without leading zeros
 * (`010.0.0.1` is refused: some readers take it for octal), blocks as `ADDRESS/LENGTH`.
 */
import { Address4, Address6 } from "ip-address";

/** A block of addresses. `base` is the network address, `address` what was written before the slash. */
export interface Block {
  address: number;
  base: number;
  length: number;
  /** Number of addresses, 2^(32 − length). */
  size: number;
}

const QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** True when the text is a dotted quad. */
export function isAddress(text: string): boolean {
  return QUAD.test(text) && Address4.isValid(text);
}

/** True when the text is `ADDRESS/LENGTH`, length 0 to 32. */
export function isBlock(text: string): boolean {
  const slash = text.indexOf("/");
  return slash > 0 && /^(\d|[12]\d|3[0-2])$/.test(text.slice(slash + 1)) && isAddress(text.slice(0, slash));
}

/** True for an IPv6 address, or block: objects of a dual-stack cluster hold them beside the IPv4 ones that matter here. */
export function isIPv6(text: string): boolean {
  return text.includes(":") && Address6.isValid(text);
}

/** Unsigned 32-bit value of a valid dotted quad. */
export function toNumber(address: string): number {
  let value = 0;
  for (const part of address.split(".")) value = value * 256 + Number(part);
  return value;
}

/** Dotted quad of an unsigned 32-bit value. */
export function toText(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The block a valid `ADDRESS/LENGTH` means. */
export function toBlock(text: string): Block {
  const slash = text.indexOf("/");
  return blockAround(toNumber(text.slice(0, slash)), Number(text.slice(slash + 1)));
}

/** The block of the given length around an address. */
export function blockAround(address: number, length: number): Block {
  const size = 2 ** (32 - length);
  return { address, base: address - (address % size), length, size };
}

/** `NETWORK/LENGTH`. */
export function blockText(block: Block): string {
  return `${toText(block.base)}/${block.length}`;
}

/** True when the block holds the address. */
export function contains(block: Block, address: number): boolean {
  return address >= block.base && address < block.base + block.size;
}

/** True when the two blocks share an address. */
export function overlap(a: Block, b: Block): boolean {
  return a.base < b.base + b.size && b.base < a.base + a.size;
}

/** True when `inner` lies inside `outer`. */
export function encloses(outer: Block, inner: Block): boolean {
  return inner.length >= outer.length && contains(outer, inner.base);
}
