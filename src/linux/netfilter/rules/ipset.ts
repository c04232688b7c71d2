import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP, type Packet } from "../../../packet/packet.ts";
import { type MaskedAddress, prefixMask } from "./address-text.ts";

/** The kinds of `ipset create` that are judged here. */
export type IpsetType = "hash:ip" | "hash:net" | "hash:ip,port";

/** A set of one namespace. Addresses are unsigned 32-bit integers. */
export interface Ipset {
  readonly name: string;
  readonly type: IpsetType;
  /** hash:ip: addresses; hash:net: by prefix length, network addresses; hash:ip,port: {@link ipPortKey}. */
  readonly addresses: Set<number>;
  readonly networks: Map<number, Set<number>>;
  readonly ipPorts: Map<number, Set<number>>;
}

export const newIpset = (name: string, type: IpsetType): Ipset => ({
  name,
  type,
  addresses: new Set(),
  networks: new Map(),
  ipPorts: new Map(),
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
      const hasPorts =
        p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP || p.protocol === IPPROTO_SCTP;
      if (directions.length < 2 || !hasPorts || p.fragOffset !== 0) return false;
      const port = directions[1] === "dst" ? p.dport : p.sport;
      return set.ipPorts.get(address)?.has(ipPortKey(p.protocol, port)) ?? false;
    }
  }
}
