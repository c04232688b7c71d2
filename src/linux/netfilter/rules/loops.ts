import { LayeredChains } from "./layered-chains.ts";
import type { Chain, Table } from "./rule-set.ts";
import { TARGET_GOTO, TARGET_JUMP } from "./verdict.ts";

/**
 * A circle of jumps among a table's chains, by name, or null (net/ipv4/netfilter/ip_tables.c: mark_source_chains).
 *
 * @param changed the chains that are new or have changed: every circle leads through one of them.
 */
export function findLoop(table: Table, changed: Iterable<string>): string[] | null {
  const done = new Set<Chain>();
  for (const name of changed) {
    const start = table.chains.get(name);
    if (start === undefined || done.has(start)) continue;
    const loop = search(table, start, done);
    if (loop !== null) return loop;
  }
  return null;
}

function search(table: Table, start: Chain, done: Set<Chain>): string[] | null {
  const { chains } = table;
  const path: { chain: Chain; next: number }[] = [{ chain: start, next: 0 }];
  const onPath = new Set<Chain>([start]);
  while (path.length > 0) {
    const top = path[path.length - 1]!;
    const rule = top.chain.rules[top.next++];
    if (rule === undefined) {
      done.add(top.chain);
      onPath.delete(top.chain);
      path.pop();
      continue;
    }
    if (rule.target.code !== TARGET_JUMP && rule.target.code !== TARGET_GOTO) continue;
    if (chains instanceof LayeredChains && chains.isSealed(rule.target.name)) continue;
    const target = chains.get(rule.target.name);
    if (target === undefined || done.has(target)) continue;
    if (onPath.has(target)) {
      const names = path.map((step) => step.chain.name);
      return [...names.slice(names.indexOf(target.name)), target.name];
    }
    path.push({ chain: target, next: 0 });
    onPath.add(target);
  }
  return null;
}
