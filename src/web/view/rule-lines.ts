/** What iptables-save prints, line by line, with the rules that a trace matched. */
import type { Trace } from "../../trace/trace.ts";

export interface RuleLine {
  readonly table: string;
  /** Null for what is no rule: `*nat`, `COMMIT`, `:CHAIN …`. */
  readonly chain: string | null;
  /** From 1 in its chain; 0 for what is no rule. */
  readonly number: number;
  readonly text: string;
  /** Whose packet matched it, if any did: `request`, `reply`, … */
  readonly matched: readonly string[];
}

/** The lines of an `iptables-save` text; `trace` is what went through, if anything did. */
export function ruleLines(text: string, netns: string, trace: Trace | null): RuleLine[] {
  const matched = trace === null ? new Map<string, string[]>() : matchedRules(trace, netns);
  const numbers = new Map<string, number>();
  let table = "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      if (line.startsWith("*")) table = line.slice(1);
      const chain = /^(?:\[\d+:\d+\] )?-A (\S+)/.exec(line)?.[1] ?? null;
      if (chain === null) return { table, chain, number: 0, text: line, matched: [] };
      const key = `${table} ${chain}`;
      const number = (numbers.get(key) ?? 0) + 1;
      numbers.set(key, number);
      return { table, chain, number, text: line, matched: matched.get(`${key} ${number}`) ?? [] };
    });
}

/** By `TABLE CHAIN NUMBER`. */
function matchedRules({ events }: Trace, netns: string): Map<string, string[]> {
  const matched = new Map<string, string[]>();
  for (const event of events) {
    if (event.type !== "rule" || event.netns !== netns || event.rule === 0) continue;
    const key = `${event.table} ${event.chain} ${event.rule}`;
    const roles = matched.get(key) ?? [];
    const role = event.of.replace(/-outer$/, " (tunnel)");
    if (!roles.includes(role)) matched.set(key, [...roles, role]);
  }
  return matched;
}

/** The lines that hold every word of a search, and with `onlyMatched` only rules that matched. */
export function searchLines(lines: readonly RuleLine[], search: string, onlyMatched: boolean): RuleLine[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return lines.filter(
    ({ text, table, matched }) =>
      (!onlyMatched || matched.length > 0) &&
      words.every((word) => text.toLowerCase().includes(word) || table === word),
  );
}
