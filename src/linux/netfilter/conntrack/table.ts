import type { Journal } from "../../journal.ts";
import type { Netns } from "../../netns.ts";
import { describe } from "./describe.ts";
import {
  type Conntrack,
  type Direction,
  IP_CT_DIR_ORIGINAL,
  IP_CT_DIR_REPLY,
  IPS_ASSURED,
  IPS_CONFIRMED,
  IPS_DYING,
  type Tuple,
} from "./entry.ts";

/** Which connection a tuple belongs to, and in which direction. Filled by `find`, so that a look-up makes no object. */
export interface Found {
  ct: Conntrack | null;
  direction: Direction;
}

const INITIAL_BUCKETS = 256;

/** `struct nf_conntrack_tuple_hash`: a listed connection's tuple and its place in the table, in one object. */
class TupleHash implements Tuple {
  readonly src: number;
  readonly dst: number;
  readonly sport: number;
  readonly dport: number;
  readonly protocol: number;
  readonly direction: Direction;
  readonly ct: Conntrack;
  next: TupleHash | null = null;

  constructor({ src, dst, sport, dport, protocol }: Tuple, ct: Conntrack, direction: Direction) {
    this.src = src;
    this.dst = dst;
    this.sport = sport;
    this.dport = dport;
    this.protocol = protocol;
    this.direction = direction;
    this.ct = ct;
  }
}

/** Confirmed connections, listed through themselves. */
interface List {
  oldest: Conntrack | null;
  newest: Conntrack | null;
  size: number;
}

/**
 * The connections of one namespace: a hash table with one link a direction, as the kernel's (nf_conntrack_hash). What
 * else lists connections leads through their own fields: tens of thousands of them live long, and every object more of
 * each is one that the collector has to move.
 */
export class ConntrackTable {
  readonly netns: Netns;
  private buckets: (TupleHash | null)[] = new Array<TupleHash | null>(INITIAL_BUCKETS).fill(null);
  private readonly confirmed: List = { oldest: null, newest: null, size: 0 };
  /** Connections by original source, newest first, for source mappings that should be kept (nf_nat_bysource). */
  private bySource: (Conntrack | null)[] = new Array<Conntrack | null>(INITIAL_BUCKETS).fill(null);
  private readonly found: Found = { ct: null, direction: IP_CT_DIR_ORIGINAL };

  constructor(netns: Netns) {
    this.netns = netns;
  }

  /** nf_conntrack_count */
  get size(): number {
    return this.confirmed.size;
  }

  /** `nf_conntrack_find_get`: the answer is valid until the next call. What has timed out is not found. */
  find(src: number, dst: number, sport: number, dport: number, protocol: number): Found {
    const found = this.found;
    const now = this.netns.clock.nowUs;
    let t = this.buckets[hash(src, dst, sport, dport, protocol) & (this.buckets.length - 1)] ?? null;
    for (; t !== null; t = t.next) {
      if (t.sport !== sport || t.dport !== dport || t.src !== src || t.dst !== dst || t.protocol !== protocol)
        continue;
      const { ct } = t;
      if (ct.expiresUs <= now) {
        this.remove(ct);
        break;
      }
      found.ct = ct;
      found.direction = t.direction;
      return found;
    }
    found.ct = null;
    return found;
  }

  findTuple(t: Tuple): Found {
    return this.find(t.src, t.dst, t.sport, t.dport, t.protocol);
  }

  /** `nf_conntrack_tuple_taken`: is there another connection whose packets look like this? */
  taken(t: Tuple, ignored: Conntrack): boolean {
    const { ct } = this.findTuple(t);
    return ct !== null && ct !== ignored;
  }

  /** Puts a connection in by both its tuples; it is listed from now on. */
  insert(ct: Conntrack): void {
    const { journal } = this.netns.clock;
    if (journal !== null) journal.keep(ct);
    if (this.confirmed.size * 2 > this.buckets.length) this.grow();
    const original = new TupleHash(ct.original, ct, IP_CT_DIR_ORIGINAL);
    const reply = new TupleHash(ct.reply, ct, IP_CT_DIR_REPLY);
    ct.original = original;
    ct.reply = reply;
    this.link(original);
    this.link(reply);
    if (journal !== null) this.noteInsert(journal, original, reply);
    this.append(ct);
    ct.status |= IPS_CONFIRMED;
  }

  /** `nf_ct_delete`: the connection is forgotten. */
  remove(ct: Conntrack): void {
    if (!this.lists(ct)) return;
    const { journal } = this.netns.clock;
    if (journal !== null) journal.keep(ct);
    this.unlist(ct);
    ct.status |= IPS_DYING;
    this.unlink(ct.original);
    this.unlink(ct.reply);
    this.forgetSource(ct);
    const recorder = this.netns.network.recorder;
    if (recorder !== null) recorder.record(describe(this.netns, 0, "destroy", ct));
  }

  private lists(ct: Conntrack): boolean {
    return ct.older !== null || this.confirmed.oldest === ct;
  }

  private append(ct: Conntrack): void {
    const { confirmed } = this;
    const { newest } = confirmed;
    const { journal } = this.netns.clock;
    if (journal !== null) {
      journal.keep(confirmed);
      if (newest !== null) journal.keep(newest);
    }
    ct.older = newest;
    if (newest === null) confirmed.oldest = ct;
    else newest.newer = ct;
    confirmed.newest = ct;
    confirmed.size++;
  }

  private unlist(ct: Conntrack): void {
    const { confirmed } = this;
    const { older, newer } = ct;
    const { journal } = this.netns.clock;
    if (journal !== null) {
      journal.keep(confirmed);
      if (older !== null) journal.keep(older);
      if (newer !== null) journal.keep(newer);
    }
    if (older === null) confirmed.oldest = newer;
    else older.newer = newer;
    if (newer === null) confirmed.newest = older;
    else newer.older = older;
    ct.older = null;
    ct.newer = null;
    confirmed.size--;
  }

  /** Every connection that has not timed out, oldest first. */
  *entries(): IterableIterator<Conntrack> {
    const now = this.netns.clock.nowUs;
    for (const ct of this.all()) {
      if (ct.expiresUs > now) yield ct;
      else this.remove(ct);
    }
  }

  private all(): Conntrack[] {
    const all: Conntrack[] = [];
    for (let ct = this.confirmed.oldest; ct !== null; ct = ct.newer) all.push(ct);
    return all;
  }

  /** `conntrack -F` */
  flush(): void {
    const { journal } = this.netns.clock;
    if (journal === null && this.netns.network.recorder === null) {
      this.clear();
      return;
    }
    for (const ct of this.all()) this.remove(ct);
    // what never was confirmed is forgotten too
    for (let at = 0; at < this.bySource.length; at++) {
      if (this.bySource[at] === null) continue;
      if (journal !== null) putBack(journal, this.bySource, at);
      this.bySource[at] = null;
    }
  }

  /** Forgets everything at once, while nobody watches. */
  private clear(): void {
    let ct = this.confirmed.oldest;
    while (ct !== null) {
      const { newer } = ct;
      ct.status |= IPS_DYING;
      ct.older = null;
      ct.newer = null;
      ct.nextBySource = null;
      ct = newer;
    }
    this.confirmed.oldest = null;
    this.confirmed.newest = null;
    this.confirmed.size = 0;
    this.buckets.fill(null);
    this.bySource.fill(null);
  }

  /** `early_drop`: makes room by giving up the oldest connection that is not assured. False when all are. */
  earlyDrop(): boolean {
    const now = this.netns.clock.nowUs;
    let ct = this.confirmed.oldest;
    while (ct !== null) {
      const { newer } = ct;
      const isOver = ct.expiresUs <= now;
      const isDropped = !isOver && (ct.status & IPS_ASSURED) === 0;
      if (isOver || isDropped) this.remove(ct);
      if (isDropped) return true;
      ct = newer;
    }
    return false;
  }

  /** Once a connection, when its source mapping is decided. */
  rememberSource(ct: Conntrack): void {
    const { journal } = this.netns.clock;
    const at = this.sourceBucketOf(ct.original);
    if (journal !== null) {
      journal.keep(ct);
      putBack(journal, this.bySource, at);
    }
    ct.nextBySource = this.bySource[at]!;
    this.bySource[at] = ct;
  }

  private forgetSource(ct: Conntrack): void {
    const at = this.sourceBucketOf(ct.original);
    let before: Conntrack | null = null;
    for (let other = this.bySource[at] ?? null; other !== null; other = other.nextBySource) {
      if (other === ct) {
        this.takeFromSource(at, before, ct);
        return;
      }
      before = other;
    }
  }

  /** Takes a connection out of its bucket, where it stands behind `before`. */
  private takeFromSource(at: number, before: Conntrack | null, ct: Conntrack): void {
    const { journal } = this.netns.clock;
    if (journal !== null) {
      journal.keep(ct);
      if (before === null) putBack(journal, this.bySource, at);
      else journal.keep(before);
    }
    if (before === null) this.bySource[at] = ct.nextBySource;
    else before.nextBySource = ct.nextBySource;
    ct.nextBySource = null;
  }

  /** Listed connections of the same original source address and port, newest first. */
  sameSource(t: Tuple): Conntrack[] {
    const at = this.sourceBucketOf(t);
    const same: Conntrack[] = [];
    let before: Conntrack | null = null;
    let ct: Conntrack | null = this.bySource[at] ?? null;
    while (ct !== null) {
      const next = ct.nextBySource;
      const isSame = ct.original.src === t.src && ct.original.sport === t.sport;
      const isListed = (ct.status & (IPS_CONFIRMED | IPS_DYING)) === IPS_CONFIRMED;
      if (isSame && !isListed) this.takeFromSource(at, before, ct);
      else before = ct;
      if (isSame && isListed) same.push(ct);
      ct = next;
    }
    return same;
  }

  private link(tuple: TupleHash): void {
    const { buckets } = this;
    const at = this.bucketOf(tuple);
    tuple.next = buckets[at] ?? null;
    buckets[at] = tuple;
  }

  private unlink(tuple: Tuple): void {
    const at = this.bucketOf(tuple);
    let before: TupleHash | null = null;
    for (let link = this.buckets[at] ?? null; link !== null; link = link.next) {
      if (link === tuple) {
        const { journal } = this.netns.clock;
        if (journal !== null) {
          if (before === null) putBack(journal, this.buckets, at);
          else putBackAfter(journal, before, link);
        }
        if (before === null) this.buckets[at] = link.next;
        else before.next = link.next;
        return;
      }
      before = link;
    }
  }

  private bucketOf(t: Tuple): number {
    return hash(t.src, t.dst, t.sport, t.dport, t.protocol) & (this.buckets.length - 1);
  }

  /** A connection is listed: its tuples will be taken out again, while no journal is kept. */
  private noteInsert(journal: Journal, original: TupleHash, reply: TupleHash): void {
    journal.undo(() => {
      this.unlink(original);
      this.unlink(reply);
    });
  }

  /** Before the table grows: every link is about to move. */
  private keepBuckets(journal: Journal): void {
    const { buckets, bySource } = this;
    const chains = buckets.map((first) => linksOf(first));
    for (const first of bySource) for (let ct = first; ct !== null; ct = ct.nextBySource) journal.keep(ct);
    journal.undo(() => {
      this.buckets = buckets;
      this.bySource = bySource;
      for (const chain of chains)
        for (let i = 0; i < chain.length; i++) chain[i]!.next = chain[i + 1] ?? null;
    });
  }

  private grow(): void {
    const { buckets: old, bySource } = this;
    const { journal } = this.netns.clock;
    if (journal !== null) this.keepBuckets(journal);
    this.buckets = new Array<TupleHash | null>(old.length * 4).fill(null);
    for (let link of old) {
      while (link !== null) {
        const { next } = link;
        const at = this.bucketOf(link);
        link.next = this.buckets[at] ?? null;
        this.buckets[at] = link;
        link = next;
      }
    }
    this.bySource = new Array<Conntrack | null>(bySource.length * 4).fill(null);
    for (const first of bySource) this.spread(first);
  }

  /** Puts the connections of an old bucket into new ones, in their order: equal sources stay newest first. */
  private spread(first: Conntrack | null): void {
    const chain: Conntrack[] = [];
    for (let ct = first; ct !== null; ct = ct.nextBySource) chain.push(ct);
    for (const ct of chain.reverse()) {
      const at = this.sourceBucketOf(ct.original);
      ct.nextBySource = this.bySource[at]!;
      this.bySource[at] = ct;
    }
  }

  private sourceBucketOf(t: Tuple): number {
    return hash(t.src, 0, t.sport, 0, 0) & (this.bySource.length - 1);
  }
}

/** A bucket will begin as now. Not in the caller, which makes no closure in a plain run. */
function putBack<T>(journal: Journal, buckets: T[], at: number): void {
  const first = buckets[at]!;
  journal.undo(() => {
    buckets[at] = first;
  });
}

function putBackAfter(journal: Journal, before: TupleHash, link: TupleHash): void {
  journal.undo(() => {
    before.next = link;
  });
}

function linksOf(first: TupleHash | null): TupleHash[] {
  const links: TupleHash[] = [];
  for (let link = first; link !== null; link = link.next) links.push(link);
  return links;
}

/** Ends as MurmurHash3 does: what differs in any bit, a source port say, must differ in the low ones too. */
function hash(src: number, dst: number, sport: number, dport: number, protocol: number): number {
  let h = Math.imul(src, 0x9e3779b1) ^ Math.imul(dst, 0x85ebca77) ^ ((sport << 16) | dport) ^ protocol;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
