/** Who has which address: nodes, hosts, and gateways of segments that no machine of the topology is. */

/** One holder an address. */
export interface AddressBook {
  /** Enters an address; the holder it has already, when it has one. */
  enter(address: string, holder: string): string | null;
  holderOf(address: string): string | null;
}

/** An empty book. */
export function addressBook(): AddressBook {
  const holders = new Map<string, string>();
  return {
    enter(address, holder) {
      const present = holders.get(address);
      if (present === undefined) holders.set(address, holder);
      return present ?? null;
    },
    holderOf: (address) => holders.get(address) ?? null,
  };
}
