/**
 * flannel's subnet leases: a node without `podCIDR` gets the first free subnet of the network, in order of name. flannel
 * draws one at random of SubnetMin to SubnetMax (`pkg/subnet/etcd: allocateSubnet`); the first is never used by default.
 */
import { type Block, blockAround } from "../objects/address.ts";
import type { SubnetRange } from "../objects/flannel.ts";

/** Leases for as many nodes as have no subnet yet, none of which overlaps one that is `taken`; null when they run out. */
export function subnetLeases(
  taken: readonly Block[],
  range: SubnetRange,
  subnetLen: number,
  count: number,
): (Block | null)[] {
  const size = 2 ** (32 - subnetLen);
  const occupied = new Set<number>();
  for (const block of taken) {
    const first = Math.max(block.base - (block.base % size), range.min);
    for (let base = first; base < block.base + block.size && base <= range.max; base += size)
      occupied.add(base);
  }
  const leases: (Block | null)[] = [];
  let base = range.min;
  while (leases.length < count) {
    while (base <= range.max && occupied.has(base)) base += size;
    leases.push(base <= range.max ? blockAround(base, subnetLen) : null);
    base += size;
  }
  return leases;
}
