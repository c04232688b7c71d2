/**
 * A map whose values are made when they are first asked for. Who extends it says which keys there are and makes a value;
 * going through the map asks for them all.
 */
export abstract class LazyMap<K, V> implements ReadonlyMap<K, V> {
  abstract has(key: K): boolean;
  abstract get(key: K): V | undefined;
  abstract keys(): MapIterator<K>;

  get size(): number {
    let size = 0;
    for (const _ of this.keys()) size++;
    return size;
  }

  *values(): MapIterator<V> {
    for (const key of this.keys()) yield this.get(key)!;
  }

  *entries(): MapIterator<[K, V]> {
    for (const key of this.keys()) yield [key, this.get(key)!];
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }
}
