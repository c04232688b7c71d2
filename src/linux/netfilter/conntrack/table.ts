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

/** The connections of one namespace: a hash table with one link a direction, as the kernel's (nf_conntrack_hash). */
export class ConntrackTable {
  readonly netns: Netns;
  private buckets: (Link | null)[] = new Array<Link | null>(INITIAL_BUCKETS).fill(null);
  /** Confirmed connections, oldest first. */
  private readonly confirmed = new Set<Conntrack>();
  /** Connections by original source, for source mappings that should be kept (nf_nat_bysource). */
  private readonly bySource = new Map<number, Set<Conntrack>>();
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
    let link = this.buckets[hash(src, dst, sport, dport, protocol) & (this.buckets.length - 1)] ?? null;
    for (; link !== null; link = link.next) {
      const t = link.tuple;
      if (t.sport !== sport || t.dport !== dport || t.src !== src || t.dst !== dst || t.protocol !== protocol)
        continue;
      const { ct } = link;
      if (ct.expiresUs <= now) {
        this.remove(ct);
        break;
      }
      found.ct = ct;
      found.direction = link.direction;
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
    if (journal !== null) this.noteInsert(journal, ct);
    if (this.confirmed.size * 2 > this.buckets.length) this.grow();
    this.link(ct, ct.original, IP_CT_DIR_ORIGINAL);
    this.link(ct, ct.reply, IP_CT_DIR_REPLY);
    this.confirmed.add(ct);
    ct.status |= IPS_CONFIRMED;
  }

  /** `nf_ct_delete`: the connection is forgotten. */
  remove(ct: Conntrack): void {
    if (!this.confirmed.has(ct)) return;
    const { journal } = this.netns.clock;
    if (journal !== null) {
      journal.keep(ct);
      journal.delete(this.confirmed, ct);
    }
    this.confirmed.delete(ct);
    ct.status |= IPS_DYING;
    this.unlink(ct, ct.original);
    this.unlink(ct, ct.reply);
    this.forgetSource(ct);
    const recorder = this.netns.network.recorder;
    if (recorder !== null) recorder.record(describe(this.netns, 0, "destroy", ct));
  }

  /** Every connection that has not timed out, oldest first. */
  *entries(): IterableIterator<Conntrack> {
    const now = this.netns.clock.nowUs;
    for (const ct of [...this.confirmed]) {
      if (ct.expiresUs > now) yield ct;
      else this.remove(ct);
    }
  }

  /** `conntrack -F` */
  flush(): void {
    for (const ct of [...this.confirmed]) this.remove(ct);
    const { journal } = this.netns.clock;
    for (const key of [...this.bySource.keys()]) {
      journal?.delete(this.bySource, key);
      this.bySource.delete(key);
    }
  }

  /** `early_drop`: makes room by giving up the oldest connection that is not assured. False when all are. */
  earlyDrop(): boolean {
    for (const ct of this.entries()) {
      if (ct.status & IPS_ASSURED) continue;
      this.remove(ct);
      return true;
    }
    return false;
  }

  rememberSource(ct: Conntrack): void {
    const key = sourceKey(ct.original);
    const same = this.bySource.get(key);
    const { journal } = this.netns.clock;
    if (journal !== null && !same?.has(ct)) journal.undo(() => this.forgetSource(ct));
    if (same === undefined) this.bySource.set(key, new Set([ct]));
    else same.add(ct);
  }

  private forgetSource(ct: Conntrack): void {
    const key = sourceKey(ct.original);
    const same = this.bySource.get(key);
    if (same === undefined) return;
    const { journal } = this.netns.clock;
    journal?.delete(same, ct);
    same.delete(ct);
    if (same.size > 0) return;
    journal?.delete(this.bySource, key);
    this.bySource.delete(key);
  }

  /** Listed connections of the same original source address and port, newest first. */
  sameSource(t: Tuple): Conntrack[] {
    const same = this.bySource.get(sourceKey(t));
    if (same === undefined) return [];
    for (const ct of same) {
      if ((ct.status & (IPS_CONFIRMED | IPS_DYING)) === IPS_CONFIRMED) continue;
      this.netns.clock.journal?.delete(same, ct);
      same.delete(ct);
    }
    return [...same].reverse();
  }

  private link(ct: Conntrack, tuple: Tuple, direction: Direction): void {
    const { buckets } = this;
    const at = this.bucketOf(tuple);
    const next = buckets[at] ?? null;
    buckets[at] = { ct, tuple, direction, next };
  }

  private unlink(ct: Conntrack, tuple: Tuple): void {
    const at = this.bucketOf(tuple);
    let before: Link | null = null;
    for (let link = this.buckets[at] ?? null; link !== null; link = link.next) {
      if (link.ct === ct && link.tuple === tuple) {
        const { journal } = this.netns.clock;
        if (journal !== null) {
          if (before === null) putBack(journal, this.buckets, at, link);
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

  /** Before a connection is listed: it will be taken out again, while no journal is kept. */
  private noteInsert(journal: Journal, ct: Conntrack): void {
    journal.keep(ct);
    const { original, reply } = ct;
    journal.undo(() => {
      this.confirmed.delete(ct);
      this.unlink(ct, original);
      this.unlink(ct, reply);
    });
  }

  /** Before the table grows: every link is about to move. */
  private keepBuckets(journal: Journal): void {
    const { buckets } = this;
    const chains = buckets.map((first) => linksOf(first));
    journal.undo(() => {
      this.buckets = buckets;
      for (const chain of chains)
        for (let i = 0; i < chain.length; i++) chain[i]!.next = chain[i + 1] ?? null;
    });
  }

  private grow(): void {
    const old = this.buckets;
    const { journal } = this.netns.clock;
    if (journal !== null) this.keepBuckets(journal);
    this.buckets = new Array<Link | null>(old.length * 4).fill(null);
    for (let link of old) {
      while (link !== null) {
        const { next } = link;
        const at = this.bucketOf(link.tuple);
        link.next = this.buckets[at] ?? null;
        this.buckets[at] = link;
        link = next;
      }
    }
  }
}

/** A bucket will begin with this link again. Not in the caller, which makes no closure in a plain run. */
function putBack(journal: Journal, buckets: (Link | null)[], at: number, first: Link | null): void {
  journal.undo(() => {
    buckets[at] = first;
  });
}

function putBackAfter(journal: Journal, before: Link, link: Link): void {
  journal.undo(() => {
    before.next = link;
  });
}

/** `struct nf_conntrack_tuple_hash` */
interface Link {
  readonly ct: Conntrack;
  readonly tuple: Tuple;
  readonly direction: Direction;
  next: Link | null;
}

function linksOf(first: Link | null): Link[] {
  const links: Link[] = [];
  for (let link = first; link !== null; link = link.next) links.push(link);
  return links;
}

function hash(src: number, dst: number, sport: number, dport: number, protocol: number): number {
  let h = Math.imul(src, 0x9e3779b1) ^ Math.imul(dst, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 15) ^ ((sport << 16) | dport), 0xc2b2ae3d) ^ protocol;
  return h ^ (h >>> 13);
}

/** (source address, port) fit a double exactly; the protocol is told apart by the caller's comparison. */
const sourceKey = (t: Tuple): number => t.src * 65536 + t.sport;
