import type { Journal } from "../../journal.ts";

/** `struct recent_entry`: an address and when it was seen last. */
export interface RecentEntry {
  readonly address: number;
  ttl: number;
  /** Ring of virtual microseconds. */
  readonly stampsUs: number[];
  index: number;
  /** Another entry of the same address with another TTL. */
  next: RecentEntry | null;
  older: RecentEntry | null;
  newer: RecentEntry | null;
}

/** `struct recent_table`: one named list of a namespace, /proc/net/xt_recent/NAME. */
export interface RecentTable {
  readonly name: string;
  readonly mask: number;
  /** Stamps kept of an address, a power of two. */
  stampsKept: number;
  entries: number;
  readonly byAddress: Map<number, RecentEntry>;
  oldest: RecentEntry | null;
  newest: RecentEntry | null;
}

/** Module parameter ip_list_tot: addresses a list remembers. */
const IP_LIST_TOT = 100;

/** Stamps that a rule with this hit count needs: 32 without one (net/netfilter/xt_recent.c: recent_mt_check, ip_pkt_list_tot = 0). */
export function recentStamps(hitcount: number): number {
  if (hitcount === 0) return 32;
  return 2 ** Math.ceil(Math.log2(hitcount));
}

export const newRecentTable = (name: string, stampsKept: number, mask: number): RecentTable => ({
  name,
  mask,
  stampsKept,
  entries: 0,
  byAddress: new Map(),
  oldest: null,
  newest: null,
});

/** `recent_entry_lookup`: a TTL of 0 on either side fits any. */
export function findRecentEntry(table: RecentTable, address: number, ttl: number): RecentEntry | null {
  let entry = table.byAddress.get(address) ?? null;
  while (entry !== null && ttl !== 0 && entry.ttl !== 0 && entry.ttl !== ttl) entry = entry.next;
  return entry;
}

function append(table: RecentTable, entry: RecentEntry): void {
  entry.older = table.newest;
  entry.newer = null;
  if (table.newest === null) table.oldest = entry;
  else table.newest.newer = entry;
  table.newest = entry;
}

function unlink(table: RecentTable, entry: RecentEntry): void {
  if (entry.older === null) table.oldest = entry.newer;
  else entry.older.newer = entry.newer;
  if (entry.newer === null) table.newest = entry.older;
  else entry.newer.older = entry.older;
}

/** `recent_entry_init`: the least recently seen address makes room. */
export function addRecentEntry(table: RecentTable, address: number, ttl: number, nowUs: number): void {
  if (table.entries >= IP_LIST_TOT && table.oldest !== null) removeRecentEntry(table, table.oldest);
  const entry: RecentEntry = {
    address,
    ttl,
    stampsUs: [nowUs],
    index: 1,
    next: null,
    older: null,
    newer: null,
  };
  const first = table.byAddress.get(address);
  if (first === undefined) table.byAddress.set(address, entry);
  else {
    let last = first;
    while (last.next !== null) last = last.next;
    last.next = entry;
  }
  append(table, entry);
  table.entries++;
}

export function removeRecentEntry(table: RecentTable, entry: RecentEntry): void {
  unlink(table, entry);
  const first = table.byAddress.get(entry.address);
  if (first === entry) {
    if (entry.next === null) table.byAddress.delete(entry.address);
    else table.byAddress.set(entry.address, entry.next);
  } else {
    let before = first;
    while (before !== undefined && before.next !== entry) before = before.next ?? undefined;
    if (before !== undefined) before.next = entry.next;
  }
  table.entries--;
}

/** `recent_entry_update`: stamps it and makes it the most recent. */
export function updateRecentEntry(table: RecentTable, entry: RecentEntry, nowUs: number): void {
  entry.index &= table.stampsKept - 1;
  entry.stampsUs[entry.index++] = nowUs;
  unlink(table, entry);
  append(table, entry);
}

/** Was it seen `hitcount` times (once for 0) at or after `sinceUs`? */
export function recentHits(entry: RecentEntry, sinceUs: number, hitcount: number): boolean {
  let hits = 0;
  for (let i = 0; i < entry.stampsUs.length; i++) {
    if (entry.stampsUs[i]! < sinceUs) continue;
    if (hitcount === 0 || ++hits >= hitcount) return true;
  }
  return false;
}

/** `recent_entry_reap`: forgets the oldest entry when it was last seen before `sinceUs`, unless it is about to be updated. */
export function reapRecent(table: RecentTable, sinceUs: number, working: RecentEntry, update: boolean): void {
  const oldest = table.oldest;
  if (oldest === null || (oldest === working && update)) return;
  if (oldest.stampsUs[oldest.index - 1]! < sinceUs) removeRecentEntry(table, oldest);
}

/** Notes a whole list before it is looked at: it is short, and a look-up may reorder all of it. */
export function keepRecents(journal: Journal, table: RecentTable): void {
  if (journal.keeps(table)) return;
  journal.keep(table);
  const entries = [...table.byAddress];
  journal.undo(() => {
    table.byAddress.clear();
    for (const [address, entry] of entries) table.byAddress.set(address, entry);
  });
  for (let entry = table.oldest; entry !== null; entry = entry.newer) {
    journal.keep(entry);
    journal.keep(entry.stampsUs);
  }
}
