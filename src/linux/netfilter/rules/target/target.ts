import type { Skb } from "../../../skb.ts";
import type { RuleContext } from "../context.ts";
import type { ParsedOption, RuleHead } from "../match/extension.ts";
import type { TargetCode, TargetOutcome } from "../verdict.ts";

/** How REJECT tells the sender. */
export type RejectWith =
  | "icmp-net-unreachable"
  | "icmp-host-unreachable"
  | "icmp-port-unreachable"
  | "icmp-proto-unreachable"
  | "icmp-net-prohibited"
  | "icmp-host-prohibited"
  | "icmp-admin-prohibited"
  | "tcp-reset";

/** `-j DNAT` and `-j SNAT`: what `struct nf_nat_range2` holds. */
export interface NatRange {
  /** First and last address; null when only ports are given. */
  readonly addresses: { readonly min: number; readonly max: number } | null;
  /** First and last port; null leaves the port as it is if it may stay. */
  readonly ports: { readonly min: number; readonly max: number } | null;
  /** DNAT `--to-destination A:P1-P2/BASE`: port P1 stands for destination port BASE (NF_NAT_RANGE_PROTO_OFFSET); null without. */
  readonly portBase: number | null;
  readonly random: boolean;
  readonly randomFully: boolean;
  readonly persistent: boolean;
}

export interface DnatTarget extends NatRange {
  readonly type: "DNAT";
}
export interface SnatTarget extends NatRange {
  readonly type: "SNAT";
}
export interface MasqueradeTarget {
  readonly type: "MASQUERADE";
  readonly ports: { readonly min: number; readonly max: number } | null;
  readonly random: boolean;
  readonly randomFully: boolean;
}
export interface RedirectTarget {
  readonly type: "REDIRECT";
  readonly ports: { readonly min: number; readonly max: number } | null;
  readonly random: boolean;
}
/** One network is put in another's place, host bits kept (net/netfilter/xt_NETMAP.c). */
export interface NetmapTarget {
  readonly type: "NETMAP";
  readonly address: number;
  readonly mask: number;
}
/** What the NAT engine carries out when a walk of the nat table ends with WALK_NAT. */
export type NatTarget = DnatTarget | SnatTarget | MasqueradeTarget | RedirectTarget | NetmapTarget;

export interface RejectTarget {
  readonly type: "REJECT";
  readonly with: RejectWith;
}

/** Where a target may stand. */
export type TableName = "raw" | "mangle" | "nat" | "filter" | "security";

/**
 * One `-j NAME`: how its options are read and printed, and what it does. `execute` is there where `code` is
 * TARGET_EXECUTE: it changes the packet or what is noted about it.
 */
export interface TargetExtension<T> {
  readonly name: string;
  readonly options: Readonly<Record<string, number>>;
  /** Null: in every table. */
  readonly tables: readonly TableName[] | null;
  readonly code: TargetCode;
  parse(options: readonly ParsedOption[], head: RuleHead): T;
  print(target: T): string;
  readonly execute: ((target: T, skb: Skb, context: RuleContext) => TargetOutcome) | null;
}

/** A target with its function beside it, or a verdict, or the name of a chain. */
export interface Target {
  /** `ACCEPT`, `DNAT`, `KUBE-SERVICES` …; empty for a rule without target. */
  readonly name: string;
  readonly code: TargetCode;
  readonly data: unknown;
  readonly execute: ((data: unknown, skb: Skb, context: RuleContext) => TargetOutcome) | null;
  /** ` -j NAME …` as iptables-save prints it. */
  readonly text: string;
  /** What a report says that the rule did: `jump X`, `goto X`, `return`, `accept`, `drop`, `continue`. */
  readonly verdictText: string;
}
