import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** A cluster of namespaces, its rule sets, and what was sent and changed in it, in order. */
export interface Plan {
  readonly name: string;
  readonly iptables: "nft" | "legacy";
  /** Seconds that a probe waits for an answer. */
  readonly timeout: number;
  readonly backend: {
    readonly type: "udp" | "vxlan" | "host-gw";
    readonly network: string;
    readonly port?: number;
    readonly vni?: number;
  };
  readonly wire: {
    readonly subnet: string;
    readonly nic: string;
    readonly mtu: number;
    readonly gateway: string;
  };
  readonly sysctl: Readonly<Record<string, number>>;
  readonly podMtu: number;
  readonly hairpin: boolean;
  readonly nodes: readonly PlanNode[];
  readonly hosts: readonly PlanHost[];
  readonly pods: readonly PlanPod[];
  readonly rulesets: Readonly<Record<string, readonly string[]>>;
  readonly flows: readonly (Probe | Action)[];
}

export type PlanListener =
  | number
  | { readonly port: number; readonly proto?: "tcp" | "udp"; readonly container?: string };

export interface PlanNode {
  readonly name: string;
  readonly ip: string;
  readonly docker: string;
  /** iptables-save text, or `@NAME` of a rule set. */
  readonly iptables: string;
  readonly listen?: readonly PlanListener[];
  readonly sysctl?: Readonly<Record<string, number>>;
}

export interface PlanHost {
  readonly name: string;
  readonly ip: string;
  readonly listen?: readonly PlanListener[];
  /** As `ip route add` takes them. */
  readonly routes?: readonly string[];
  readonly sysctl?: Readonly<Record<string, number>>;
}

export interface PlanPod {
  readonly node: string;
  readonly name: string;
  readonly ip: string;
  readonly listen?: readonly PlanListener[];
  readonly mtu?: number;
}

export interface Probe {
  readonly id: string;
  readonly from: string;
  readonly proto: "tcp" | "udp" | "icmp";
  readonly dst: string;
  readonly dport?: number;
  readonly sport?: number;
  readonly bind?: string;
  readonly ttl?: number;
  /** IP payload bytes; for tcp data bytes. */
  readonly size?: number;
  readonly df?: boolean;
  readonly close?: "fin";
  readonly repeat?: number;
  readonly keepConntrack?: boolean;
  readonly keepPmtu?: boolean;
  readonly timeout?: number;
}

export type Action =
  | { readonly do: "exec"; readonly on: string; readonly argv: readonly string[]; readonly check?: boolean }
  | {
      readonly do: "sysctl";
      readonly on: string | readonly string[];
      readonly set: Readonly<Record<string, number>>;
    }
  | {
      readonly do: "iptables";
      readonly on: string | readonly string[];
      readonly text: string;
      readonly noflush?: boolean;
    }
  | { readonly do: "hairpin"; readonly pod: string; readonly value: boolean };

export const isAction = (flow: Probe | Action): flow is Action => "do" in flow;

/** What happened to one probe; only what is compared. */
export interface Result {
  readonly id: string;
  readonly request: { readonly source?: string; readonly destination?: string };
  readonly verdict?: string;
  readonly reason?: string;
  readonly delivered?: {
    readonly netns: string;
    readonly container: string | null;
    readonly source: string;
    readonly destination: string;
    readonly ttl: number;
    readonly len?: number;
  };
  readonly reply?: {
    readonly received: boolean;
    readonly source: string;
    readonly destination: string;
    readonly ttl: number;
    readonly len?: number | null;
  };
  readonly icmp?: {
    readonly type: number;
    readonly code: number;
    readonly from: string;
    readonly to: string;
    readonly ttl: number;
    readonly mtu: number | null;
    readonly about: string;
  };
  readonly rst?: { readonly from: string; readonly ttl: number; readonly origin: string };
  readonly socket?: { readonly errno?: string; readonly ms?: number };
  readonly conntrack?: readonly ConntrackRow[];
  readonly rules?: readonly RuleRow[];
  readonly path?: readonly string[];
  readonly replyPath?: readonly string[];
  readonly icmpPath?: readonly string[];
  readonly rstPath?: readonly string[];
  readonly repeat?: number;
  readonly to?: Readonly<Record<string, number>>;
}

export interface ConntrackRow {
  readonly netns: string;
  readonly protocol: string;
  readonly state: string | null;
  readonly flags: readonly string[];
  readonly original: string;
  readonly reply: string;
}

export interface RuleRow {
  readonly netns: string;
  readonly of: string;
  readonly hook: string;
  readonly table: string;
  readonly chain: string;
  readonly rule: number | "policy";
  readonly verdict: string;
  readonly iif?: string | null;
  readonly oif?: string | null;
}

function readText(file: string): string {
  const bytes = readFileSync(file);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("utf8");
}

const PLAN_LISTS = ["nodes", "pods", "hosts", "flows"] as const;

/** Reads a plan, gzipped or not. Throws when it is none. */
export function readPlan(file: string): Plan {
  const plan = JSON.parse(readText(file)) as Plan;
  for (const key of PLAN_LISTS)
    if (!Array.isArray(plan[key])) throw new Error(`no plan: "${key}" is no list`);
  return plan;
}

/** Reads results, one JSON object a line, gzipped or not; by id. Throws when a line is none. */
export function readResults(file: string): Map<string, Result> {
  const rows = readText(file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Result);
  for (const [i, { id }] of rows.entries())
    if (typeof id !== "string") throw new Error(`result ${i + 1} has no id`);
  return new Map(rows.map((row) => [row.id, row]));
}
