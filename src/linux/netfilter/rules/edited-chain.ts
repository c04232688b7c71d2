import type { Chain, Rule } from "./rule-set.ts";

/** One place where a chain differs from another: after `at` rules of that one, `removed` are left out and others stand. */
export interface ChainEdit {
  readonly at: number;
  readonly removed: number;
  readonly inserted: readonly Rule[];
}

/** How a chain came of another one, so that what was found out about that one can be used again. */
export class ChainEdits {
  readonly original: Chain;
  /** Where the edited chain has rules that the original has not. */
  readonly inserted: readonly number[];
  private readonly edits: readonly ChainEdit[];
  /** By how much rules behind each edit stand farther back than in the original. */
  private readonly shifts: readonly number[];

  constructor(original: Chain, edits: readonly ChainEdit[]) {
    this.original = original;
    this.edits = edits;
    const shifts: number[] = [];
    const positions: number[] = [];
    let shift = 0;
    for (const { at, removed, inserted } of edits) {
      for (let i = 0; i < inserted.length; i++) positions.push(at + shift + i);
      shift += inserted.length - removed;
      shifts.push(shift);
    }
    this.shifts = shifts;
    this.inserted = positions;
  }

  /** Where a rule of the original stands in the edited chain; -1 when it is not there. */
  positionOf(original: number): number {
    const { edits } = this;
    let low = 0;
    let high = edits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (edits[middle]!.at <= original) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return original;
    const { at, removed } = edits[low - 1]!;
    return original < at + removed ? -1 : original + this.shifts[low - 1]!;
  }
}

const editsByChain = new WeakMap<Chain, ChainEdits>();

/** The chain with the edits, which must be in the chain's order. */
export function editChain(original: Chain, edits: readonly ChainEdit[]): Chain {
  const parts: (readonly Rule[])[] = [];
  let from = 0;
  for (const { at, removed, inserted } of edits) {
    parts.push(original.rules.slice(from, at), inserted);
    from = at + removed;
  }
  parts.push(original.rules.slice(from));
  // concat copies blocks of memory, flat() looks at every rule: ten thousand of them, for every node
  const chain: Chain = { ...original, rules: ([] as Rule[]).concat(...parts) };
  editsByChain.set(chain, new ChainEdits(original, edits));
  return chain;
}

/** Of what a chain was made by {@link editChain}; null for any other. */
export const editsOf = (chain: Chain): ChainEdits | null => editsByChain.get(chain) ?? null;
