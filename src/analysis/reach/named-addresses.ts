import type { ConntrackMatch } from "../../linux/netfilter/rules/match/conntrack.ts";
import type { Match } from "../../linux/netfilter/rules/match/extension.ts";
import type { IprangeMatch } from "../../linux/netfilter/rules/match/iprange.ts";
import type { MultiportMatch } from "../../linux/netfilter/rules/match/multiport.ts";
import type { PortsMatch } from "../../linux/netfilter/rules/match/udp.ts";
import type { Chain, Rule } from "../../linux/netfilter/rules/rule-set.ts";
import type { NatTarget } from "../../linux/netfilter/rules/target/target.ts";
import { WALK_NAT } from "../../linux/netfilter/rules/verdict.ts";

/**
 * Which addresses a chain can tell apart. Two packets that differ in one address only, and in nothing else a rule looks
 * at, are judged alike by a chain that puts both addresses into the same sets.
 */
export interface NamedAddresses {
  /** Single addresses. */
  readonly single: ReadonlySet<number>;
  /** Sets of more than one address. */
  readonly wide: readonly ((address: number) => boolean)[];
  /** A rule looks at something that goes with the address in no way that can be told here: every packet is its own case. */
  readonly opaque: boolean;
}

const named = new WeakMap<Chain, NamedAddresses>();

/** What a chain's rules name; made once for a chain. */
export function namedAddresses(chain: Chain): NamedAddresses {
  let found = named.get(chain);
  if (found === undefined) {
    found = collect(chain.rules);
    named.set(chain, found);
  }
  return found;
}

interface Collected {
  readonly single: Set<number>;
  readonly wide: Map<string, (address: number) => boolean>;
  opaque: boolean;
}

function collect(rules: readonly Rule[]): NamedAddresses {
  const into: Collected = { single: new Set(), wide: new Map(), opaque: false };
  for (const { ip, conditions, target } of rules) {
    addMasked(into, ip.src, ip.srcMask);
    addMasked(into, ip.dst, ip.dstMask);
    for (const condition of conditions) addCondition(into, condition);
    if (target.code === WALK_NAT) addTranslation(into, target.data as NatTarget);
  }
  return { single: into.single, wide: [...into.wide.values()], opaque: into.opaque };
}

function addMasked({ single, wide }: Collected, address: number, mask: number): void {
  const bits = mask >>> 0;
  if (bits === 0) return;
  if (bits === 0xffffffff) single.add(address >>> 0);
  else wide.set(`${address}/${bits}`, (other) => ((other ^ address) & mask) === 0);
}

function addRange({ single, wide }: Collected, range: { min: number; max: number } | null): void {
  if (range === null) return;
  const { min, max } = range;
  if (min === max) single.add(min);
  else wide.set(`${min}-${max}`, (address) => address >= min && address <= max);
}

/** Matches that look at no address, or at addresses only as the routing tables do. */
const BLIND = new Set([
  "addrtype",
  "comment",
  "connmark",
  "dscp",
  "icmp",
  "length",
  "limit",
  "mark",
  "nfacct",
  "owner",
  "pkttype",
  "quota",
  "recent",
  "rpfilter",
  "state",
  "statistic",
  "tcp",
  "tcpmss",
  "tos",
  "ttl",
]);

function addCondition(into: Collected, { name, data }: Match): void {
  if (BLIND.has(name)) return;
  switch (name) {
    case "conntrack": {
      const { origSrc, origDst, replSrc, replDst } = data as ConntrackMatch;
      for (const one of [origSrc, origDst, replSrc, replDst])
        if (one !== null) addMasked(into, one.address, one.mask);
      return;
    }
    case "iprange": {
      const { source, destination } = data as IprangeMatch;
      addRange(into, source);
      addRange(into, destination);
      return;
    }
    case "udp":
    case "sctp":
      // a tunnel's source port is a hash over the addresses inside
      if ((data as PortsMatch).sport !== null) into.opaque = true;
      return;
    case "multiport":
      if ((data as MultiportMatch).which !== "dports") into.opaque = true;
      return;
    default:
      // mac and physdev name a pod's devices, set asks a set that may change
      into.opaque = true;
  }
}

function addTranslation(into: Collected, target: NatTarget): void {
  switch (target.type) {
    case "DNAT":
    case "SNAT":
      // of several addresses, a hash over the packet's own chooses
      if (target.addresses !== null && target.addresses.min !== target.addresses.max) into.opaque = true;
      addRange(into, target.addresses);
      return;
    case "NETMAP":
      into.opaque = true;
      return;
    case "MASQUERADE":
    case "REDIRECT":
  }
}

/** What a chain makes of an address; equal texts, equal judgement. */
export function signature({ single, wide }: NamedAddresses, address: number): string {
  if (single.has(address)) return `=${address}`;
  return wide.map((holds) => (holds(address) ? "1" : "0")).join("");
}
