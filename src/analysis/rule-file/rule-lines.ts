import { commandArguments, type SaveFile } from "../../linux/netfilter/iptables-save/read.ts";
import type { RuleSet } from "../../linux/netfilter/rules/rule-set.ts";

/** In which line of the file a rule stands; null where one line made several rules or commands moved them. */
export type RuleLines = (table: string, chain: string, rule: number) => number | null;

/** Finds the lines of a file's rules. Rules count from 1 in their chain. */
export function ruleLines(file: SaveFile, ruleSet: RuleSet): RuleLines {
  const byChain = new Map<string, number[]>();
  let table = "";
  for (const line of file.lines) {
    if (line.kind === "table") table = line.table;
    if (line.kind !== "command") continue;
    const [command, chain] = commandArguments(line);
    const key = `${table} ${chain?.text ?? ""}`;
    const lines = byChain.get(key) ?? [];
    // a command that is no append makes the count differ, and the chain's lines unknown
    lines.push(...(command?.text === "-A" || command?.text === "--append" ? [line.number] : [0, 0]));
    byChain.set(key, lines);
  }
  const lengths = new Map<string, number>(
    ruleSet.tables.flatMap(({ name, chains }) =>
      [...chains.values()].map((chain) => [`${name} ${chain.name}`, chain.rules.length] as const),
    ),
  );
  return (tableName, chain, rule) => {
    const key = `${tableName} ${chain}`;
    const lines = byChain.get(key) ?? [];
    if (rule < 1 || lines.length !== lengths.get(key) || lines.includes(0)) return null;
    return lines[rule - 1] ?? null;
  };
}
