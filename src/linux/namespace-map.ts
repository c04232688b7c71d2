import { LazyMap } from "./lazy-map.ts";
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
export class NamespaceMap extends LazyMap<string, Netns> {
  /** What there may be beside those that are made; null: nothing. */
  source: NetnsSource | null = null;
  private readonly made = new Map<string, Netns>();

  /** Those that have been made. */
  awake(): Iterable<Netns> {
    return this.made.values();
  }

  /** Throws RangeError when the name is taken. */
  add(netns: Netns): void {
    if (this.has(netns.name)) throw new RangeError(`namespace ${netns.name} exists`);
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

  *keys(): MapIterator<string> {
    yield* this.made.keys();
    if (this.source !== null) yield* this.source.names();
  }
}
