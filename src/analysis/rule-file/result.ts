import type { HookName } from "../../linux/netfilter/hooks.ts";
import type { API_VERSION } from "../../trace/trace.ts";
import type { ConnectionState, RuleProtocol } from "./request.ts";

/** `accepted`: past the last hook. `rejected`: by a REJECT rule. `dropped`: in all other cases. */
export type RuleVerdict = "accepted" | "dropped" | "rejected";

/** Where the packet ended. `rule` counts from 1 and is 0 for the chain's policy; null where no rule decided. */
export interface RulePlace {
  readonly hook: HookName;
  readonly table: string | null;
  readonly chain: string | null;
  readonly rule: number | null;
  /** Line of the file; null for a policy, or where it cannot be told. */
  readonly line: number | null;
  /** What else there is to say: `REJECT`, `MASQUERADE found no address`. */
  readonly detail: string | null;
}

/** A rule that matched. */
export interface MatchedRule {
  readonly hook: HookName;
  readonly table: string;
  readonly chain: string;
  /** From 1, as `iptables -L --line-numbers` counts. */
  readonly rule: number;
  readonly target: string;
  /** What it did to the walk: `jump X`, `goto X`, `return`, `accept`, `drop`, `continue`. */
  readonly verdict: string;
  /** As iptables-save prints it, without `-A CHAIN`. */
  readonly text: string;
  readonly line: number | null;
}

/** One table walked at one hook. */
export interface WalkedTable {
  readonly hook: HookName;
  readonly table: string;
  /** Rules that the kernel would have looked at. */
  readonly rulesWalked: number;
}

/** Addresses are `IP:PORT`, for icmp `IP`. */
export interface PacketEnds {
  readonly source: string;
  readonly destination: string;
}

export interface Translation {
  readonly hook: HookName;
  readonly manip: "source" | "destination";
  readonly before: PacketEnds;
  readonly after: PacketEnds;
}

/** What a REJECT rule tells the sender. */
export type RuleAnswer =
  | { readonly kind: "icmp"; readonly type: number; readonly code: number; readonly from: string }
  | { readonly kind: "tcp-reset"; readonly from: string };

/** One packet through a rule file: `podpath rules -o json` prints it. */
export interface RuleTrace {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "RuleTrace";
  readonly request: {
    readonly file: string;
    readonly protocol: RuleProtocol;
    readonly source: string;
    readonly destination: string;
    readonly inInterface: string | null;
    readonly outInterface: string | null;
    readonly ctstate: ConnectionState;
    readonly mark: number;
    readonly localAddresses: readonly string[];
  };
  readonly verdict: RuleVerdict;
  /** Null when it was accepted. */
  readonly at: RulePlace | null;
  readonly answer: RuleAnswer | null;
  /** The hooks it came to. */
  readonly hooks: readonly HookName[];
  readonly rules: readonly MatchedRule[];
  readonly tables: readonly WalkedTable[];
  /** The sum of `tables`. */
  readonly rulesEvaluated: number;
  readonly before: PacketEnds & { readonly mark: number };
  readonly after: PacketEnds & { readonly mark: number; readonly connmark: number | null };
  readonly nat: readonly Translation[];
  /** What LOG rules wrote. */
  readonly log: readonly string[];
  /** What the request left open, and what was taken for it. */
  readonly notes: readonly string[];
}

/** A branch of chance; `numerator` / `denominator` is its exact probability. */
export interface RuleBranch {
  readonly probability: number;
  readonly numerator: string;
  readonly denominator: string;
  readonly trace: RuleTrace;
}

/** All branches: their exact probabilities sum to 1. */
export interface RuleTraceSet {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "RuleTraceSet";
  readonly branches: readonly RuleBranch[];
}
