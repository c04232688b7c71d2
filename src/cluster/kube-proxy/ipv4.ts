/** An IPv4 block: `address` is the masked network address as an unsigned 32-bit integer. */
export interface Ipv4Block {
  readonly address: number;
  readonly prefixLength: number;
}

/**
 * Reads a dotted quad as kube-proxy does (k8s.io/utils/net: ParseIPSloppy): leading zeros are decimal.
 *
 * @returns the address as an unsigned 32-bit integer; undefined for anything else, an IPv6 address among it.
 */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    address = address * 256 + octet;
  }
  return address;
}

/** The dotted quad of an unsigned 32-bit address. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The dotted quad without leading zeros; undefined when the text is no IPv4 address. */
export function canonicalIpv4(text: string): string | undefined {
  const address = parseIpv4(text);
  return address === undefined ? undefined : formatIpv4(address);
}

function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

/** Reads `a.b.c.d/n`, host bits cleared (k8s.io/utils/net: ParseCIDRSloppy); undefined for anything else. */
export function parseIpv4Block(text: string): Ipv4Block | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseIpv4(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^[0-9]{1,3}$/.test(length)) return undefined;
  const prefixLength = Number(length);
  if (prefixLength > 32) return undefined;
  return { address: (address & maskOf(prefixLength)) >>> 0, prefixLength };
}

/** `a.b.c.d/n` of a block. */
export function formatIpv4Block(block: Ipv4Block): string {
  return `${formatIpv4(block.address)}/${block.prefixLength}`;
}

/** Whether the block holds the address (unsigned 32-bit). */
export function blockContains(block: Ipv4Block, address: number): boolean {
  return (address & maskOf(block.prefixLength)) >>> 0 === block.address;
}

/** Whether the address (unsigned 32-bit) lies in 127.0.0.0/8. */
export function isLoopback(address: number): boolean {
  return address >>> 24 === 127;
}

/** The IPv4 blocks of a list, in order; what is not one is left out (pkg/proxy/util: MapCIDRsByIPFamily). */
export function ipv4Blocks(texts: readonly string[]): readonly Ipv4Block[] {
  return texts.map(parseIpv4Block).filter((block) => block !== undefined);
}
