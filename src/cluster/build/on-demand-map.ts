/** A map whose keys are known and whose values are made when they are first asked for, all of them by who goes through it. */
export class OnDemandMap<K, V> implements ReadonlyMap<K, V> {
  private readonly known: ReadonlySet<K>;
  private readonly made = new Map<K, V>();
  private readonly make: (key: K) => V;

  constructor(keys: Iterable<K>, make: (key: K) => V) {
    this.known = new Set(keys);
    this.make = make;
  }

  /** The values that have been made. */
  awake(): Iterable<V> {
    return this.made.values();
  }

  isAwake(key: K): boolean {
    return this.made.has(key);
  }

  get size(): number {
    return this.known.size;
  }

  has(key: K): boolean {
    return this.known.has(key);
  }

  get(key: K): V | undefined {
    let value = this.made.get(key);
    if (value === undefined && this.known.has(key)) {
      value = this.make(key);
      this.made.set(key, value);
    }
    return value;
  }

  keys(): SetIterator<K> {
    return this.known.keys();
  }

  *values(): MapIterator<V> {
    for (const key of this.known) yield this.get(key)!;
  }

  *entries(): MapIterator<[K, V]> {
    for (const key of this.known) yield [key, this.get(key)!];
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }
}
