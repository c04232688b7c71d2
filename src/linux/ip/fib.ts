import { netmask } from "../../packet/address.ts";
import type { NetDevice } from "../device/device.ts";
import { type RouteType, RTN_LOCAL } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import { selectSource } from "./address.ts";
import { type FibEntry, type Route, type RouteInput, RT_TABLE_LOCAL } from "./route.ts";

const CACHE_SLOTS = 64;

const slotOf = (address: number): number => (address ^ (address >>> 8)) & (CACHE_SLOTS - 1);

/** The entries of one prefix length, by network: 32 bits with their sign, which need no object as keys. */
interface Level {
  readonly length: number;
  readonly mask: number;
  readonly networks: Map<number, FibEntry[]>;
}

const NO_ENTRIES: readonly FibEntry[] = [];

/** Nothing looked up yet. */
const NO_ADDRESSES: number[] = new Array<number>(CACHE_SLOTS).fill(-1);
const NO_CACHED_ENTRIES: (FibEntry | null)[] = new Array<FibEntry | null>(CACHE_SLOTS).fill(null);

/** One routing table: entries by prefix length, longest first. */
class FibTable {
  private levels: Level[] = [];

  private level(length: number): Level | undefined {
    return this.levels.find((one) => one.length === length);
  }

  add(entry: FibEntry, append: boolean): void {
    let level = this.level(entry.prefixLength);
    if (level === undefined) {
      level = { length: entry.prefixLength, mask: netmask(entry.prefixLength) | 0, networks: new Map() };
      this.levels = [...this.levels, level].sort((a, b) => b.length - a.length);
    }
    const key = entry.destination | 0;
    const same = level.networks.get(key) ?? [];
    // fib_insert_alias: by metric; a later one of the same metric goes first unless appended
    const at = same.findIndex((other) =>
      append ? other.metric > entry.metric : other.metric >= entry.metric,
    );
    if (at < 0) same.push(entry);
    else same.splice(at, 0, entry);
    level.networks.set(key, same);
  }

  /** Is there an entry with the same destination, type, device, metric and preferred source? */
  has(entry: FibEntry): boolean {
    return this.entriesTo(entry.destination, entry.prefixLength).some(
      (other) =>
        other.type === entry.type &&
        other.dev === entry.dev &&
        other.metric === entry.metric &&
        other.prefsrc === entry.prefsrc,
    );
  }

  remove(entry: FibEntry): boolean {
    const level = this.level(entry.prefixLength);
    const key = entry.destination | 0;
    const same = level?.networks.get(key);
    const at = same?.indexOf(entry) ?? -1;
    if (level === undefined || same === undefined || at < 0) return false;
    same.splice(at, 1);
    if (same.length === 0) level.networks.delete(key);
    if (level.networks.size === 0) this.levels = this.levels.filter((one) => one !== level);
    return true;
  }

  /** `fib_table_lookup`: longest prefix, then lowest metric; with `dev` only what leaves by it. */
  lookup(address: number, dev: NetDevice | null): FibEntry | null {
    for (const { mask, networks } of this.levels) {
      const same = networks.get(address & mask);
      if (same === undefined) continue;
      for (const entry of same) {
        // an address is local whether or not its device is up
        if (entry.dev !== null && !entry.dev.up && entry.type !== RTN_LOCAL) continue;
        if (dev !== null && entry.dev !== dev) continue;
        return entry;
      }
    }
    return null;
  }

  /** Those of exactly that block. */
  entriesTo(destination: number, prefixLength: number): readonly FibEntry[] {
    return this.level(prefixLength)?.networks.get(destination | 0) ?? NO_ENTRIES;
  }

  *entries(): IterableIterator<FibEntry> {
    for (const { networks } of [...this.levels].reverse()) for (const same of networks.values()) yield* same;
  }
}

/** The routing tables of a namespace: local, then main, as the default rules ask them (net/ipv4/fib_rules.c). */
export class Fib {
  private readonly netns: Netns;
  private readonly local = new FibTable();
  private readonly main = new FibTable();
  /** What was looked up last, by a few bits of the address. Most namespaces of a large cluster never look anything up. */
  private cachedAddress: number[] = NO_ADDRESSES;
  private cachedEntry: (FibEntry | null)[] = NO_CACHED_ENTRIES;
  /** The same of the local table alone: whether a source is one's own is asked of every packet that comes in. */
  private cachedLocalAddress: number[] = NO_ADDRESSES;
  private cachedLocal: (FibEntry | null)[] = NO_CACHED_ENTRIES;
  private readonly routes = new Map<FibEntry, (Route | undefined)[]>();
  /** fib_has_custom_local_routes: somebody added a `local` route by hand, so sources must be checked in full. */
  hasCustomLocalRoutes = false;
  /** Path MTUs learned from ICMP, by destination: the fnhe exceptions of a route. */
  readonly pathMtu = new Map<number, { mtu: number; expiresUs: number }>();

  /**
   * Who still has routes to bring, with what belongs to them: asked for those that an address needs before the tables
   * are, and for all of them (null) before anybody goes through them. Null: nobody.
   */
  private bringer: ((address: number | null) => void) | null = null;

  /** How often the local table has changed. */
  localChanges = 0;

  constructor(netns: Netns) {
    this.netns = netns;
  }

  /** Routes, and the neighbours and forwarding entries beside them, are to be brought when they are needed. */
  bringOnDemand(bring: (address: number | null) => void): void {
    this.bringer = bring;
  }

  /** Has all brought that may still be missing: for who is about to list routes, neighbours or forwarding entries. */
  complete(): void {
    this.ask(null);
    this.bringer = null;
  }

  private ask(address: number | null): void {
    const bring = this.bringer;
    if (bring === null) return;
    // what is brought may itself look routes up
    this.bringer = null;
    try {
      bring(address);
    } finally {
      this.bringer = bring;
    }
  }

  add(entry: FibEntry, append = false): void {
    if (entry.table === RT_TABLE_LOCAL) this.localChanges++;
    (entry.table === RT_TABLE_LOCAL ? this.local : this.main).add(entry, append);
    this.changed();
  }

  /** Is there an entry like this one already (the kernel's EEXIST)? */
  has(entry: FibEntry): boolean {
    return (entry.table === RT_TABLE_LOCAL ? this.local : this.main).has(entry);
  }

  /** Takes an entry out; false when it is not there. */
  remove(entry: FibEntry): boolean {
    if (entry.table === RT_TABLE_LOCAL) this.localChanges++;
    const removed = (entry.table === RT_TABLE_LOCAL ? this.local : this.main).remove(entry);
    this.changed();
    return removed;
  }

  /** The entries of one table, shortest prefix first, in the order of look-up among equals. */
  *entries(table: 254 | 255): IterableIterator<FibEntry> {
    this.complete();
    yield* (table === RT_TABLE_LOCAL ? this.local : this.main).entries();
  }

  /** Entries of the main table of exactly that block, in the order of look-up. */
  mainEntriesTo(destination: number, prefixLength: number): readonly FibEntry[] {
    return this.main.entriesTo(destination, prefixLength);
  }

  /** Forgets what was concluded from tables, addresses or link states that have changed. */
  changed(): void {
    if (this.cachedAddress !== NO_ADDRESSES) this.cachedAddress.fill(-1);
    if (this.cachedLocalAddress !== NO_ADDRESSES) this.cachedLocalAddress.fill(-1);
    this.routes.clear();
  }

  /** `fib_lookup`: the entry for an address, or null where no table has one. */
  lookup(address: number): FibEntry | null {
    const slot = slotOf(address);
    if (this.cachedAddress[slot] === address) return this.cachedEntry[slot]!;
    if (this.bringer !== null) this.ask(address);
    const entry = this.local.lookup(address, null) ?? this.main.lookup(address, null);
    if (this.cachedAddress === NO_ADDRESSES) {
      this.cachedAddress = NO_ADDRESSES.slice();
      this.cachedEntry = NO_CACHED_ENTRIES.slice();
    }
    this.cachedAddress[slot] = address;
    this.cachedEntry[slot] = entry;
    return entry;
  }

  /** `fib_lookup` with an output device (`flowi4_oif`). */
  lookupVia(address: number, dev: NetDevice): FibEntry | null {
    if (this.bringer !== null) this.ask(address);
    return this.local.lookup(address, dev) ?? this.main.lookup(address, dev);
  }

  /** The local table alone: `inet_dev_addr_type` asks it. */
  lookupLocal(address: number): FibEntry | null {
    const slot = slotOf(address);
    if (this.cachedLocalAddress[slot] === address) return this.cachedLocal[slot]!;
    const entry = this.local.lookup(address, null);
    if (this.cachedLocalAddress === NO_ADDRESSES) {
      this.cachedLocalAddress = NO_ADDRESSES.slice();
      this.cachedLocal = NO_CACHED_ENTRIES.slice();
    }
    this.cachedLocalAddress[slot] = address;
    this.cachedLocal[slot] = entry;
    return entry;
  }

  /** The one Route that stands for an entry and what is done with the packet: `rt_dst_alloc`, cached in the next hop. */
  route(entry: FibEntry, type: RouteType, input: RouteInput): Route {
    let made = this.routes.get(entry);
    if (made === undefined) {
      made = [];
      this.routes.set(entry, made);
    }
    const key = type * 4 + input;
    let route = made[key];
    if (route === undefined) {
      const local = type === 2;
      route = {
        type,
        dev: local ? this.netns.loopback : entry.dev!,
        gateway: entry.gateway,
        source: entry.prefsrc || (local ? 0 : selectSource(entry.dev!, entry.gateway, entry.scope)),
        input,
        error: null,
        entry,
      };
      made[key] = route;
    }
    return route;
  }

  /**
   * `dst_mtu`: what fits on the way to `destination`; a learned path MTU beats the device's, but not on the way to an
   * address of this namespace's own.
   */
  mtu(route: Route, destination: number): number {
    let mtu = route.entry?.mtu || route.dev.mtu;
    if (this.pathMtu.size > 0 && route.type !== RTN_LOCAL) {
      const learned = this.pathMtu.get(destination);
      if (learned !== undefined && learned.expiresUs > this.netns.clock.nowUs && learned.mtu < mtu)
        mtu = learned.mtu;
    }
    return mtu;
  }

  /** `ip_rt_update_pmtu`: an ICMP error told a smaller path MTU; believed for ten minutes, never below 552. */
  learnPathMtu(destination: number, mtu: number): void {
    this.netns.clock.journal?.set(this.pathMtu, destination);
    this.pathMtu.set(destination, {
      mtu: Math.max(mtu, 552),
      expiresUs: this.netns.clock.nowUs + 600_000_000,
    });
  }
}
