import { Fib } from "../../src/linux/ip/fib.ts";
import { ConntrackTable } from "../../src/linux/netfilter/conntrack/table.ts";
import { Netfilter } from "../../src/linux/netfilter/netfilter.ts";
import { ChainState, RuleSetState, RuleState, TableState } from "../../src/linux/netfilter/rules/state.ts";
import { Network } from "../../src/linux/network.ts";

/** Fields that hold what never changes, what is only true for a moment, or what is looked up again when it is missing. */
const LEFT_OUT = new Map<unknown, readonly string[]>([
  [Fib, ["cachedAddress", "cachedEntry", "cachedLocalAddress", "cachedLocal", "routes"]],
  [Network, ["backlog"]],
  [ConntrackTable, ["found"]],
  [Netfilter, ["host", "hooks", "at"]],
  [RuleSetState, ["rules", "context", "natTarget", "reject", "rulesWalked", "decidedChain", "decidedRule"]],
  [TableState, ["table", "base"]],
  [ChainState, ["chain", "index"]],
  [RuleState, ["jump"]],
]);

/**
 * Everything about a network that packets could change: a line an object, in the order in which they are come upon,
 * each reference the number of the object's line. Equal lines, equal networks.
 */
export function fingerprint(network: Network): string[] {
  const numbers = new Map<object, number>();
  const waiting: object[] = [];
  const name = (value: unknown): string => {
    if (typeof value === "function") return "function";
    if (typeof value !== "object" || value === null) return String(value);
    let number = numbers.get(value);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(value, number);
      waiting.push(value);
    }
    return `#${number}`;
  };
  name(network);
  const lines: string[] = [];
  for (let i = 0; i < waiting.length; i++) lines.push(`#${i} ${describe(waiting[i]!, name)}`);
  return lines;
}

function describe(value: object, name: (value: unknown) => string): string {
  if (Array.isArray(value))
    return `[${value.map((held) => name(isUntouched(held) ? null : held)).join(" ")}]`;
  if (value instanceof Set) return `Set ${[...value].map(name).join(" ")}`;
  if (value instanceof Map) {
    const entries = [...value].filter(([, held]) => !isUntouched(held));
    return `Map ${entries.map(([key, held]) => `${name(key)}:${name(held)}`).join(" ")}`;
  }
  const leftOut = LEFT_OUT.get(value.constructor) ?? [];
  const fields = Object.entries(value).filter(([key]) => !leftOut.includes(key));
  const texts = fields.map(([key, held]) => `${key}=${isUntouched(held) ? "null" : name(held)}`);
  return `${value.constructor.name} ${texts.join(" ")}`;
}

/** The state of rules that no packet has matched is made when it is first asked for, and means nothing. */
function isUntouched(value: unknown): boolean {
  if (value instanceof RuleState)
    return (
      value.packets === 0 && (value.conditions === null || value.conditions.every((one) => one === null))
    );
  if (value instanceof ChainState) return value.policyPackets === 0 && rulesOf(value).every(isUntouched);
  return false;
}

const rulesOf = (state: ChainState): (RuleState | null)[] =>
  state.chain.rules.map((_, i) => state.peek(i)).filter((rule) => rule !== null);

/** The lines in which two fingerprints differ, at most ten. */
export const differences = (before: readonly string[], after: readonly string[]): string[] => {
  const found: string[] = [];
  for (let i = 0; i < Math.max(before.length, after.length) && found.length < 10; i++)
    if (before[i] !== after[i]) found.push(`- ${before[i]}\n+ ${after[i]}`);
  return found;
};
