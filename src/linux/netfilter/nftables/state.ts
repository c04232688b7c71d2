import type { Journal } from "../../journal.ts";
import type { NatTarget } from "../rules/target/target.ts";
import type { NftTable } from "./table.ts";

/** What packets change in one namespace's table, and what the last walk came to. */
export class NftState {
  readonly table: NftTable;
  /** Elements that `update @set` put in, by set and address: the virtual microsecond at which they are gone. */
  private readonly dynamic = new Map<string, Map<number, number>>();

  // Valid until the next walk
  natTarget: NatTarget | null = null;
  /** Rules that the kernel would have looked at, one after the other. */
  rulesWalked = 0;
  decidedChain = "";
  /** Counts from 1; 0 when the walk came to its end. */
  decidedRule = 0;

  /** Look-ups in sets and maps since the namespace was made. */
  lookups = 0;

  /** Takes over what packets have put into the sets that both tables have. */
  constructor(table: NftTable, before: NftState | null = null) {
    this.table = table;
    for (const [name, elements] of before?.dynamic ?? []) {
      if (table.sets.has(name)) this.dynamic.set(name, elements);
    }
  }

  /** `nft_lookup` in a set of addresses. */
  contains(name: string, address: number, nowUs: number): boolean {
    this.lookups++;
    if (this.table.sets.get(name)!.addresses.has(address)) return true;
    const expiresUs = this.dynamic.get(name)?.get(address);
    return expiresUs !== undefined && expiresUs > nowUs;
  }

  /** `nft_dynset`: puts an element in, or starts its time anew. */
  update(name: string, address: number, nowUs: number, journal: Journal | null): void {
    const { timeoutSeconds } = this.table.sets.get(name)!;
    let elements = this.dynamic.get(name);
    if (elements === undefined) {
      elements = new Map();
      journal?.set(this.dynamic, name);
      this.dynamic.set(name, elements);
    }
    journal?.set(elements, address);
    elements.set(
      address,
      timeoutSeconds === null ? Number.POSITIVE_INFINITY : nowUs + timeoutSeconds * 1_000_000,
    );
  }
}
