import type { Netns } from "./netns.ts";

/** Namespaces that exist for whoever asks, but are made when first somebody does. */
export interface NetnsSource {
  /** Is there a namespace of that name that has not been made? */
  has(name: string): boolean;
  /** Makes it, and whatever must be made with it. */
  make(name: string): void;
  /** Those that have not been made. */
  names(): Iterable<string>;
}

/** The namespaces of a network by name. Asking for one makes it; going through all of them makes all. */
export class NamespaceMap implements ReadonlyMap<string, Netns> {
  /** What there may be beside those that are made; null: nothing. */
  source: NetnsSource | null = null;
  private readonly made = new Map<string, Netns>();

  /** Those that have been made. */
  awake(): Iterable<Netns> {
    return this.made.values();
  }

  /** Throws RangeError when the name is taken. */
  add(netns: Netns): void {
    if (this.made.has(netns.name)) throw new RangeError(`namespace ${netns.name} exists`);
    this.made.set(netns.name, netns);
  }

  delete(name: string): void {
    this.made.delete(name);
  }

  has(name: string): boolean {
    return this.made.has(name) || (this.source?.has(name) ?? false);
  }

  get(name: string): Netns | undefined {
    const netns = this.made.get(name);
    if (netns !== undefined || !this.source?.has(name)) return netns;
    this.source.make(name);
    return this.made.get(name);
  }

  get size(): number {
    let size = 0;
    for (const _ of this.keys()) size++;
    return size;
  }

  *keys(): MapIterator<string> {
    yield* this.made.keys();
    if (this.source !== null) yield* this.source.names();
  }

  values(): MapIterator<Netns> {
    return this.all().values();
  }

  entries(): MapIterator<[string, Netns]> {
    return this.all().entries();
  }

  [Symbol.iterator](): MapIterator<[string, Netns]> {
    return this.entries();
  }

  forEach(callback: (value: Netns, key: string, map: ReadonlyMap<string, Netns>) => void): void {
    for (const [name, netns] of this.all()) callback(netns, name, this);
  }

  private all(): Map<string, Netns> {
    if (this.source !== null)
      for (const name of [...this.source.names()]) if (this.source.has(name)) this.source.make(name);
    return this.made;
  }
}
