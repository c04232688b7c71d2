import { netmask } from "../../packet/address.ts";
import { addLease, type FlannelNetwork } from "./flannel.ts";
import { type Lease, sameSubnet } from "./lease.ts";

/** All leases of a network, to be found by the addresses they cover. One for all nodes. */
export class LeaseBook {
  readonly all: readonly Lease[];
  private readonly byLength = new Map<number, Map<number, Lease[]>>();

  constructor(leases: readonly Lease[]) {
    this.all = leases;
    for (const lease of leases) {
      let subnets = this.byLength.get(lease.prefixLength);
      if (subnets === undefined) {
        subnets = new Map();
        this.byLength.set(lease.prefixLength, subnets);
      }
      const known = subnets.get(lease.subnet);
      if (known === undefined) subnets.set(lease.subnet, [lease]);
      else known.push(lease);
    }
  }

  /** The leases whose subnet holds the address; those of one subnet in their order. */
  covering(address: number): Lease[] {
    const found: Lease[] = [];
    for (const [length, subnets] of this.byLength)
      found.push(...(subnets.get(length === 0 ? 0 : (address & netmask(length)) >>> 0) ?? []));
    return found;
  }
}

/**
 * Like {@link import("./flannel.ts").addLeases} for all leases of the book, but each lease is acted upon when the node
 * first looks for a way to its subnet, or when somebody lists what the node has: of thousands of nodes a node talks to few.
 */
export function addLeasesOnDemand(flannel: FlannelNetwork, own: Lease, book: LeaseBook): void {
  const done = new Set<Lease>();
  const { netns } =
    flannel.type === "udp" ? flannel.tun : flannel.type === "vxlan" ? flannel.device : flannel.nic;
  const bring = (address: number | null): void => {
    for (const lease of address === null ? book.all : book.covering(address)) {
      if (done.has(lease)) continue;
      done.add(lease);
      if (!sameSubnet(lease, own)) netns.network.quietly(() => addLease(flannel, lease));
    }
  };
  if (flannel.type === "udp") flannel.proxy.bring = bring;
  else netns.fib.bringOnDemand(bring);
}
