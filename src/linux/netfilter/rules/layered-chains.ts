import { LazyMap } from "../../lazy-map.ts";
import type { Chain } from "./rule-set.ts";

/** Chains that are made when somebody first asks for them. None of them jumps to a chain that is not of the source. */
export interface ChainSource {
  has(name: string): boolean;
  /** The chain, the same object every time; undefined when the source has none of that name. */
  get(name: string): Chain | undefined;
  names(): Iterable<string>;
}

/**
 * A table's chains, most of which come from a source and are not made before a packet, or somebody who lists them,
 * comes to them. Chains of the table's own go before the source's of the same name.
 */
export class LayeredChains extends LazyMap<string, Chain> {
  readonly own: ReadonlyMap<string, Chain>;
  readonly source: ChainSource;
  /** Does an own chain stand in the place of one of the source's? */
  readonly overrides: boolean;

  constructor(own: ReadonlyMap<string, Chain>, source: ChainSource) {
    super();
    this.own = own;
    this.source = source;
    this.overrides = [...own.keys()].some((name) => source.has(name));
  }

  /** The same with some own chains in the place of what there was under their names. */
  with(chains: Iterable<readonly [string, Chain]>): LayeredChains {
    return new LayeredChains(new Map([...this.own, ...chains]), this.source);
  }

  /** Is it certain, without making the chain, that no jump leads from it to an own chain? */
  isSealed(name: string): boolean {
    return !this.overrides && this.source.has(name);
  }

  get(name: string): Chain | undefined {
    return this.own.get(name) ?? this.source.get(name);
  }

  has(name: string): boolean {
    return this.own.has(name) || this.source.has(name);
  }

  *keys(): MapIterator<string> {
    yield* this.own.keys();
    for (const name of this.source.names()) if (!this.own.has(name)) yield name;
  }
}
