import type { Hook } from "../hooks.ts";
import type { NftExpression, NftVerdict } from "./expression.ts";

/**
 * One table of nftables, family ip: chains of rules, sets, and maps from a packet's fields to a verdict. Nothing here ever
 * changes; a transaction makes another table. What packets change is in {@link import("./state.ts").NftState}.
 */
export interface NftTable {
  readonly name: string;
  readonly comment: string | null;
  readonly chains: ReadonlyMap<string, NftChain>;
  readonly sets: ReadonlyMap<string, NftSet>;
  readonly maps: ReadonlyMap<string, NftMap>;
}

/** `type filter hook prerouting priority -110`: where a base chain is asked. */
export interface NftBase {
  readonly type: "filter" | "nat";
  readonly hook: Hook;
  readonly priority: number;
}

export interface NftChain {
  readonly name: string;
  /** Null for a chain that others jump to. */
  readonly base: NftBase | null;
  readonly comment: string | null;
  readonly rules: readonly NftRule[];
}

export interface NftRule {
  readonly expressions: readonly NftExpression[];
  /** What stands after the chain's name in `nft add rule`, without the comment. */
  readonly text: string;
  readonly comment: string | null;
}

/** A set of IPv4 addresses (`type ipv4_addr`). */
export interface NftSet {
  readonly name: string;
  readonly comment: string | null;
  /** Seconds after which an element that a packet put in is gone; null for a set that only commands change. */
  readonly timeoutSeconds: number | null;
  readonly addresses: ReadonlySet<number>;
}

/** The fields of a map's key: `ipv4_addr . inet_proto . inet_service`, or without the address. */
type NftMapType = "address-protocol-port" | "protocol-port";

/** A verdict map. */
export interface NftMap {
  readonly name: string;
  readonly comment: string | null;
  readonly type: NftMapType;
  /** By {@link mapKey}. */
  readonly elements: ReadonlyMap<number, NftMapElement>;
}

export interface NftMapElement {
  readonly verdict: NftVerdict;
  readonly comment: string | null;
}

/** A map's key in one number, exact below 2^50; `address` is 0 where the key has none. */
export function mapKey(address: number, protocol: number, port: number): number {
  return (address * 4 + protocolIndex(protocol)) * 0x10000 + port;
}

/** tcp, udp and sctp in two bits; 3 is any other, which no element names. */
function protocolIndex(protocol: number): number {
  return protocol === 6 ? 0 : protocol === 17 ? 1 : protocol === 132 ? 2 : 3;
}

export const emptyNftTable = (name: string): NftTable => ({
  name,
  comment: null,
  chains: new Map(),
  sets: new Map(),
  maps: new Map(),
});
