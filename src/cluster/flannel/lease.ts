import { toBlock, toNumber } from "../objects/address.ts";

/** A node's subnet as flannel's other nodes learn of it. Addresses are unsigned 32-bit integers. */
export interface Lease {
  /** The subnet's own address: `192.168.96.0`. */
  readonly subnet: number;
  readonly prefixLength: number;
  /** Where the node's flannel is reached. */
  readonly publicIP: number;
  /** Address of its VXLAN device, below 2^48; 0 with another back end. */
  readonly vtepMac: number;
}

/** A lease of texts: the node's subnet (`192.168.96.0/24`) and its address. */
export function lease(subnet: string, publicIP: string, vtepMac = 0): Lease {
  const { base, length } = toBlock(subnet);
  return { subnet: base, prefixLength: length, publicIP: toNumber(publicIP), vtepMac };
}

/** Are they for the same subnet? */
export const sameSubnet = (a: Lease, b: Lease): boolean =>
  a.subnet === b.subnet && a.prefixLength === b.prefixLength;

/**
 * The leases flannel acts upon: all but those of its own subnet (subnet/watch.go: leaseWatcher). So a node does not
 * hear of another one that has its subnet too.
 */
export const othersLeases = (own: Lease, leases: readonly Lease[]): readonly Lease[] =>
  leases.filter((one) => !sameSubnet(one, own));
