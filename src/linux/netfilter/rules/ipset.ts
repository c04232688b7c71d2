import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP, type Packet } from "../../../packet/packet.ts";
import { type MaskedAddress, prefixMask } from "./address-text.ts";

/** The kinds of `ipset create` that are judged here. */
export type IpsetType =
  | "hash:ip"
  | "hash:net"
  | "hash:ip,port"
  | "hash:ip,port,ip"
  | "hash:ip,port,net"
  | "bitmap:port";

/** A set of one namespace. Addresses are unsigned 32-bit integers. */
export interface Ipset {
  readonly name: string;
  readonly type: IpsetType;
  /** hash:ip: addresses; hash:net: by prefix length, network addresses; hash:ip,port: {@link ipPortKey}. */
  readonly addresses: Set<number>;
  readonly networks: Map<number, Set<number>>;
  readonly ipPorts: Map<number, Set<number>>;
  /** hash:ip,port,ip and hash:ip,port,net: blocks by address and {@link ipPortKey}. */
  readonly ipPortBlocks: Map<number, Map<number, MaskedAddress[]>>;
  /** bitmap:port: ports, of whatever protocol. */
  readonly ports: Set<number>;
}

export const newIpset = (name: string, type: IpsetType): Ipset => ({
  name,
  type,
  addresses: new Set(),
  networks: new Map(),
  ipPorts: new Map(),
  ipPortBlocks: new Map(),
  ports: new Set(),
});

const ipPortKey = (protocol: number, port: number): number => (protocol << 16) | port;

export function addAddress(set: Ipset, address: number): void {
  set.addresses.add(address);
}

export function addNetwork(set: Ipset, { address, mask }: MaskedAddress): void {
  const length = Math.clz32(~mask);
  const same = set.networks.get(length) ?? new Set();
  same.add(address);
  set.networks.set(length, same);
}

export function addIpPort(set: Ipset, address: number, protocol: number, port: number): void {
  const ports = set.ipPorts.get(address) ?? new Set();
  ports.add(ipPortKey(protocol, port));
  set.ipPorts.set(address, ports);
}

/** A member of hash:ip,port,net; with a mask of all ones, of hash:ip,port,ip. */
export function addIpPortBlock(
  set: Ipset,
  address: number,
  protocol: number,
  port: number,
  block: MaskedAddress,
): void {
  const byPort = set.ipPortBlocks.get(address) ?? new Map<number, MaskedAddress[]>();
  set.ipPortBlocks.set(address, byPort);
  const key = ipPortKey(protocol, port);
  byPort.set(key, [...(byPort.get(key) ?? []), block]);
}

export function addPort(set: Ipset, port: number): void {
  set.ports.add(port);
}

/** The port of a packet in one direction; null when it has none (`ip_set_get_ip4_port`). */
function portOf(p: Packet, direction: "src" | "dst" | undefined): number | null {
  const hasPorts = p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP || p.protocol === IPPROTO_SCTP;
  if (direction === undefined || !hasPorts || p.fragOffset !== 0) return null;
  return direction === "dst" ? p.dport : p.sport;
}

/** `ip_set_test` for a packet; directions beyond what the set's kind needs are not looked at. */
export function ipsetContains(set: Ipset, p: Packet, directions: readonly ("src" | "dst")[]): boolean {
  const address = directions[0] === "dst" ? p.dst : p.src;
  switch (set.type) {
    case "hash:ip":
      return set.addresses.has(address);
    case "hash:net":
      for (const [length, same] of set.networks) {
        if (same.has((address & prefixMask(length)) >>> 0)) return true;
      }
      return false;
    case "hash:ip,port": {
      const port = portOf(p, directions[1]);
      return port !== null && (set.ipPorts.get(address)?.has(ipPortKey(p.protocol, port)) ?? false);
    }
    case "hash:ip,port,ip":
    case "hash:ip,port,net": {
      const port = portOf(p, directions[1]);
      if (port === null || directions.length < 3) return false;
      const third = directions[2] === "dst" ? p.dst : p.src;
      const blocks = set.ipPortBlocks.get(address)?.get(ipPortKey(p.protocol, port)) ?? [];
      return blocks.some((block) => (third & block.mask) >>> 0 === block.address);
    }
    case "bitmap:port": {
      const port = portOf(p, directions[0]);
      return port !== null && set.ports.has(port);
    }
  }
}
