import type { IpHeader } from "./ip-header.ts";
import type { Match } from "./match/extension.ts";
import type { Target } from "./target/target.ts";

/**
 * The rules of a namespace as `iptables-save` shows them. Nothing here ever changes, so namespaces with equal rules
 * share them; what packets change is in {@link import("./state.ts").RuleSetState}.
 */
export interface RuleSet {
  /** In the order in which they were first read. */
  readonly tables: readonly Table[];
  /** Rules that no packet can be judged by. */
  readonly unknown: readonly UnknownExtension[];
}

export interface Table {
  readonly name: string;
  /** Built-in chains first. They may be made on demand: {@link import("./layered-chains.ts").LayeredChains}. */
  readonly chains: ReadonlyMap<string, Chain>;
  /** Chains that the restore that made this table emptied first: their counters start anew. */
  readonly flushed: Pick<ReadonlySet<string>, "has">;
}

export interface Chain {
  readonly name: string;
  /** Null for a user-defined chain. */
  readonly policy: "ACCEPT" | "DROP" | null;
  readonly rules: readonly Rule[];
  /** Counters that the text gave, when they were asked for. */
  readonly counters: ChainCounters | null;
}

/** Packets and bytes: `[policyPackets, policyBytes, rule 1's packets, rule 1's bytes, …]`. */
export type ChainCounters = readonly number[];

export interface Rule {
  readonly ip: IpHeader;
  readonly matches: readonly Match[];
  /** Those of the matches that do not match every packet. */
  readonly conditions: readonly Match[];
  /** Does a condition remember something from packet to packet? */
  readonly stateful: boolean;
  readonly target: Target;
  /** What stands after `-A CHAIN` in iptables-save's form; empty for a rule without anything. */
  readonly text: string;
  /** Why no packet can be judged by it; null for a rule that is understood. */
  readonly unknown: string | null;
}

export interface UnknownExtension {
  readonly table: string;
  readonly chain: string;
  readonly rule: Rule;
  /** In the text that brought the rule. */
  readonly line: number;
  /** `unknown match "bpf"`. */
  readonly detail: string;
}

/** Tables and their built-in chains in the order of iptables-save. */
export const BUILT_IN_CHAINS: Readonly<Record<string, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

export const EMPTY_RULE_SET: RuleSet = { tables: [], unknown: [] };
