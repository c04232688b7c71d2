import type { RuleCount } from "./record.ts";

interface Counter {
  readonly table: string;
  readonly chain: string;
  readonly rule: number;
  readonly text: string;
  readonly packets: number;
  readonly bytes: number;
}

/** The counters of `iptables-save -c`, by table, chain and number. Policies are rule 0. */
export function parseCounters(save: string): Map<string, Counter> {
  const counters = new Map<string, Counter>();
  const lengths = new Map<string, number>();
  let table = "";
  for (const line of save.split("\n")) {
    if (line.startsWith("*")) {
      table = line.slice(1);
      lengths.clear();
      continue;
    }
    const policy = /^:(\S+) (ACCEPT|DROP) \[(\d+):(\d+)\]/.exec(line);
    const rule = /^\[(\d+):(\d+)\] -A (\S+) ?(.*)$/.exec(line);
    const [chain, packets, bytes, text] =
      policy !== null
        ? [policy[1]!, policy[3]!, policy[4]!, policy[2]!]
        : rule !== null
          ? [rule[3]!, rule[1]!, rule[2]!, rule[4]!]
          : [null, "", "", ""];
    if (chain === null) continue;
    const number = policy !== null ? 0 : (lengths.get(chain) ?? 0) + 1;
    lengths.set(chain, number);
    counters.set(`${table} ${chain} ${number}`, {
      table,
      chain,
      rule: number,
      text,
      packets: Number(packets),
      bytes: Number(bytes),
    });
  }
  return counters;
}

/** What counted between two saves of one namespace, in the order of the later one. */
export function counted(netns: string, before: string, after: string): RuleCount[] {
  if (before === after) return [];
  const earlier = parseCounters(before);
  return [...parseCounters(after)].flatMap(([key, now]) => {
    const was = earlier.get(key);
    const packets = now.packets - (was?.packets ?? 0);
    const bytes = now.bytes - (was?.bytes ?? 0);
    return packets === 0 && bytes === 0 ? [] : [{ ...now, netns, packets, bytes }];
  });
}
