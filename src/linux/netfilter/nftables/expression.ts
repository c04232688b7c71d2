/** What a rule of nftables is made of, as far as kube-proxy's rules and what stands beside them use it. */

import type { DnatTarget } from "../rules/target/target.ts";

/** A field of the packet or of its way that a rule compares. */
export type NftField =
  | "ip saddr"
  | "ip daddr"
  | "meta l4proto"
  | "th dport"
  | "iifname"
  | "ct state"
  | "fib saddr type"
  | "fib daddr type";

/** A block of addresses: `mask` is signed or unsigned 32-bit, as bit operations take it. */
export interface NftBlock {
  readonly address: number;
  readonly mask: number;
}

export type NftOperand =
  | { readonly type: "blocks"; readonly blocks: readonly NftBlock[] }
  | { readonly type: "set"; readonly name: string }
  | { readonly type: "number"; readonly value: number }
  /** An interface's name; `wildcard` where the rule's ended in `*`. */
  | { readonly type: "name"; readonly text: string; readonly wildcard: boolean };

/** What ends a rule or leads elsewhere. `reject` is a statement of its own kind: icmp port-unreachable. */
export type NftVerdict =
  | { readonly code: "accept" | "drop" | "return" | "reject" }
  | { readonly code: "jump" | "goto"; readonly chain: string };

export type NftExpression =
  | {
      readonly kind: "compare";
      readonly field: NftField;
      readonly negated: boolean;
      readonly operand: NftOperand;
    }
  /** `ip daddr . meta l4proto . th dport vmap @map`, or without the address. */
  | { readonly kind: "vmap"; readonly map: string }
  /** `numgen random mod N vmap { 0 : …, 1 : … }`; `verdicts[i]` is element i's. */
  | { readonly kind: "numgen"; readonly verdicts: readonly NftVerdict[] }
  /** `mark and MASK == VALUE` */
  | { readonly kind: "mark"; readonly mask: number; readonly value: number }
  | { readonly kind: "mark-set"; readonly operation: "or" | "xor"; readonly value: number }
  /** `update @set { ip saddr }` */
  | { readonly kind: "update"; readonly set: string }
  | { readonly kind: "dnat"; readonly target: DnatTarget }
  | { readonly kind: "masquerade"; readonly fullyRandom: boolean }
  | { readonly kind: "verdict"; readonly verdict: NftVerdict };

/** `goto service-…`, as nft prints it. */
export const verdictText = (verdict: NftVerdict): string =>
  "chain" in verdict ? `${verdict.code} ${verdict.chain}` : verdict.code;
