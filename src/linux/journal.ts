/**
 * An undo log: what packets change while a journal is kept is put back by `rollback`, however much else there is.
 *
 *   small objects   `keep(object)` before the first change: a shallow copy, once
 *   counters        `count(counter, bytes)` before a packet is counted
 *   large tables    `set` and `delete` before an entry comes or goes: the inverse operation
 *   anything else   `undo(how)`
 *
 * An object is written down in one way only, so the ways do not depend on each other's order.
 */
export class Journal {
  /** null: the object is new, so that nothing of it need be put back. */
  private readonly copies = new Map<object, object | null>();
  private readonly inverses: (() => void)[] = [];
  private readonly counted: Counter[] = [];
  private readonly countedBytes: number[] = [];

  /** Remembers an object's fields, or an array's elements, as they are now; only the first call for an object counts. */
  keep(object: object): void {
    if (this.copies.has(object)) return;
    this.copies.set(object, Array.isArray(object) ? object.slice() : { ...object });
  }

  /** The object has been made since: there is nothing to be put back, since nobody will know it then. */
  fresh(object: object): void {
    this.copies.set(object, null);
  }

  /** Has the object been kept already? */
  keeps(object: object): boolean {
    return this.copies.has(object);
  }

  /** Has the object been made since? */
  isFresh(object: object): boolean {
    return this.copies.get(object) === null;
  }

  /** A packet is about to be counted; the most frequent change of all, and so the cheapest to put back. */
  count(counter: Counter, bytes: number): void {
    this.counted.push(counter);
    this.countedBytes.push(bytes);
  }

  /** How to take back what is about to happen; the last goes first. */
  undo(how: () => void): void {
    this.inverses.push(how);
  }

  /** Before `map.set(key, …)` or `set.add(key)`: a new key will go, an old one gets its value back. */
  set<K>(table: Map<K, unknown> | Set<K>, key: K): void {
    if (!table.has(key)) {
      this.inverses.push(() => table.delete(key));
    } else if (table instanceof Map) {
      const value = table.get(key);
      this.inverses.push(() => table.set(key, value));
    }
  }

  /** Before `delete(key)`: the entry will come back to its place in the table's order. */
  delete<K>(table: Map<K, unknown> | Set<K>, key: K): void {
    if (!table.has(key)) return;
    if (table instanceof Map) {
      const after = entriesAfter(table, key);
      const value = table.get(key);
      this.inverses.push(() => {
        table.set(key, value);
        for (const [later, its] of after) {
          table.delete(later);
          table.set(later, its);
        }
      });
      return;
    }
    const after = entriesAfter(table, key);
    this.inverses.push(() => {
      table.add(key);
      for (const [later] of after) {
        table.delete(later);
        table.add(later);
      }
    });
  }

  /** Everything that a packet was counted by, in order, once a packet. */
  counters(): readonly Counter[] {
    return this.counted;
  }

  /** Puts everything back and is empty then. */
  rollback(): void {
    for (let i = this.inverses.length - 1; i >= 0; i--) this.inverses[i]!();
    for (const [object, copy] of this.copies) {
      if (copy === null) continue;
      if (Array.isArray(object)) object.splice(0, object.length, ...(copy as unknown[]));
      else Object.assign(object, copy);
    }
    for (let i = 0; i < this.counted.length; i++) {
      const counter = this.counted[i]!;
      counter.packets--;
      counter.bytes -= this.countedBytes[i]!;
    }
    this.counted.length = 0;
    this.countedBytes.length = 0;
    this.inverses.length = 0;
    this.copies.clear();
  }
}

/** Counts packets and their bytes. */
export interface Counter {
  packets: number;
  bytes: number;
}

/** The entries that stand after a key in a table's order. */
function entriesAfter<K>(table: Map<K, unknown> | Set<K>, key: K): [K, unknown][] {
  const after: [K, unknown][] = [];
  let found = false;
  for (const entry of table.entries()) {
    if (found) after.push(entry);
    else found = entry[0] === key;
  }
  return after;
}
