/** What an address translation may choose from: `struct nf_nat_range2`. Addresses and ports are both inclusive. */
export interface NatRange {
  readonly addresses: { readonly min: number; readonly max: number } | null;
  readonly ports: { readonly min: number; readonly max: number } | null;
  /** NF_NAT_RANGE_PROTO_OFFSET: `ports.min` stands for this port; null without. */
  readonly portBase: number | null;
  readonly random: boolean;
  readonly randomFully: boolean;
  readonly persistent: boolean;
}

/** NF_NAT_RANGE_PROTO_RANDOM_ALL */
export const wantsRandomPort = (range: NatRange): boolean => range.random || range.randomFully;

/** One address, the port as it comes. */
export const toAddress = (address: number, options: Partial<Omit<NatRange, "addresses">> = {}): NatRange => ({
  addresses: { min: address, max: address },
  ports: options.ports ?? null,
  portBase: options.portBase ?? null,
  random: options.random ?? false,
  randomFully: options.randomFully ?? false,
  persistent: options.persistent ?? false,
});
