import { LazyMap } from "../../linux/lazy-map.ts";

/** A map whose keys are known and whose values are made when they are first asked for, all of them by who goes through it. */
export class OnDemandMap<K, V> extends LazyMap<K, V> {
  private readonly known: ReadonlySet<K>;
  private readonly made = new Map<K, V>();
  private readonly make: (key: K) => V;

  constructor(keys: Iterable<K>, make: (key: K) => V) {
    super();
    this.known = new Set(keys);
    this.make = make;
  }

  /** The values that have been made. */
  awake(): Iterable<V> {
    return this.made.values();
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

  *keys(): MapIterator<K> {
    yield* this.known;
  }
}
