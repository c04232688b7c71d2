import type { DestinationState, SchedulerMemory, SchedulerName, ServiceState } from "./service.ts";

/** Chooses a real server for a new connection of a client; null when none takes any. */
type Scheduler = (
  destinations: readonly DestinationState[],
  memory: SchedulerMemory,
  client: number,
) => DestinationState | null;

const weightOf = (one: DestinationState): number => one.destination.weight;

/** net/netfilter/ipvs/ip_vs_rr.c: the next in the list that has weight. */
const roundRobin: Scheduler = (destinations, memory) => {
  const n = destinations.length;
  for (let step = 1; step <= n; step++) {
    const at = (memory.last + step) % n;
    const one = destinations[at]!;
    if (weightOf(one) === 0) continue;
    memory.last = at;
    return one;
  }
  return null;
};

/** Greatest common divisor. */
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** net/netfilter/ipvs/ip_vs_wrr.c: passes through the list, each for a smaller weight, and again from the largest. */
const weightedRoundRobin: Scheduler = (destinations, memory) => {
  const weights = destinations.map(weightOf);
  const largest = Math.max(0, ...weights);
  if (largest === 0) return null;
  const step = weights.filter((weight) => weight > 0).reduce(gcd);
  if (memory.currentWeight <= 0 || memory.currentWeight > largest) memory.currentWeight = largest;
  for (;;) {
    for (let at = memory.last + 1; at < destinations.length; at++) {
      if (weights[at]! < memory.currentWeight) continue;
      memory.last = at;
      return destinations[at]!;
    }
    memory.last = -1;
    memory.currentWeight -= step;
    if (memory.currentWeight <= 0) memory.currentWeight = largest;
  }
};

/** net/netfilter/ipvs/ip_vs_lc.c: the fewest connections, an established one counting 256 times; the first among equals. */
const leastConnection: Scheduler = (destinations) => {
  let least: DestinationState | null = null;
  let leastOverhead = Number.POSITIVE_INFINITY;
  for (const one of destinations) {
    if (weightOf(one) === 0) continue;
    const overhead = one.active * 256 + one.inactive;
    if (overhead >= leastOverhead) continue;
    least = one;
    leastOverhead = overhead;
  }
  return least;
};

/** IP_VS_SH_TAB_BITS */
const TABLE_BITS = 8;
const TABLE_SIZE = 1 << TABLE_BITS;

/** `hash_32` (include/linux/hash.h). */
const hash32 = (value: number, bits: number): number => Math.imul(value, 0x61c88647) >>> (32 - bits);

/**
 * net/netfilter/ipvs/ip_vs_sh.c: a table of 256 places, dealt to the real servers in turn, each as many as its weight; the
 * client's address says which place.
 */
const sourceHashing: Scheduler = (destinations, _memory, client) => {
  const dealt = destinations.flatMap((one) => new Array<DestinationState>(weightOf(one)).fill(one));
  if (dealt.length === 0) return null;
  const place = hash32(client, TABLE_BITS) & (TABLE_SIZE - 1);
  return dealt[place % dealt.length]!;
};

const SCHEDULERS: Readonly<Record<SchedulerName, Scheduler>> = {
  rr: roundRobin,
  wrr: weightedRoundRobin,
  lc: leastConnection,
  sh: sourceHashing,
};

/** The real server for a new connection; null when no real server takes any. */
export const schedule = (
  { service, destinations, memory }: ServiceState,
  client: number,
): DestinationState | null => SCHEDULERS[service.scheduler](destinations, memory, client);
