import { BUILT_IN_CHAINS, type Chain, type Rule, type RuleSet, type Table } from "../rules/rule-set.ts";
import type { RuleSetState } from "../rules/state.ts";
import type { SaveFile } from "./read.ts";

/** The bytes that were read. */
export function writeSaveFile(file: SaveFile): string {
  return file.lines.map((line) => line.text).join("\n") + (file.terminated ? "\n" : "");
}

/** `-A CHAIN …` as iptables-save prints it. */
export const printRule = (chain: string, rule: Rule): string =>
  rule.text === "" ? `-A ${chain}` : `-A ${chain} ${rule.text}`;

/** Built-in chains in their order, then the others by name in ASCII order, as iptables-save lists them. */
export function orderedChains(table: Table): Chain[] {
  const builtIn = BUILT_IN_CHAINS[table.name] ?? [];
  const own = [...table.chains.values()].filter((c) => !builtIn.includes(c.name));
  own.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return [...builtIn.flatMap((name) => table.chains.get(name) ?? []), ...own];
}

export interface WriteOptions {
  /** `-c`: counters before each rule. */
  readonly counters: boolean;
  /** The comment lines around each table; none when left out. */
  readonly header?: { readonly generated: string; readonly completed: string };
}

/** What `iptables-save` prints. Without a state, and for chains that no packet has come by, the counters are those that were read. */
export function writeRuleSet(ruleSet: RuleSet, state: RuleSetState | null, options: WriteOptions): string {
  return ruleSet.tables.map((table) => writeTable(table, state, options)).join("");
}

function writeTable(table: Table, state: RuleSetState | null, options: WriteOptions): string {
  const chains = orderedChains(table);
  const lines: string[] = [];
  if (options.header) lines.push(`# ${options.header.generated}`);
  lines.push(`*${table.name}`);
  for (const chain of chains) {
    const [packets, bytes] = chain.policy === null ? [0, 0] : counts(table, chain, 0, state);
    lines.push(`:${chain.name} ${chain.policy ?? "-"} [${packets}:${bytes}]`);
  }
  for (const chain of chains) {
    chain.rules.forEach((rule, i) => {
      const [packets, bytes] = options.counters ? counts(table, chain, i + 1, state) : [0, 0];
      lines.push(`${options.counters ? `[${packets}:${bytes}] ` : ""}${printRule(chain.name, rule)}`);
    });
  }
  lines.push("COMMIT");
  if (options.header) lines.push(`# ${options.header.completed}`);
  return `${lines.join("\n")}\n`;
}

/** Packets and bytes of rule number `n`, or of the policy for 0. */
function counts(table: Table, chain: Chain, n: number, state: RuleSetState | null): [number, number] {
  if (state !== null) return state.counters(table.name, chain.name, n);
  return [chain.counters?.[2 * n] ?? 0, chain.counters?.[2 * n + 1] ?? 0];
}
