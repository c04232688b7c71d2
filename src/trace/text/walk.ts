import type { TraceEvent } from "../event.ts";
import { type Line, line, NORMAL, VERBOSE } from "./line.ts";
import { shortRule } from "./rule-text.ts";

type RuleRecord = Extract<TraceEvent, { type: "rule" }>;
type TableRecord = Extract<TraceEvent, { type: "table" }>;

/** One table at one hook: the rules that matched, in order, and how many were looked at. */
export interface Walk {
  readonly rules: readonly RuleRecord[];
  readonly table: TableRecord;
}

/** Where a rule sends the walk, or null. */
function destinationOf({ verdict }: RuleRecord): string | null {
  return /^(?:jump|goto) (.+)$/.exec(verdict)?.[1] ?? null;
}

const isPolicy = ({ rule }: RuleRecord): boolean => rule === 0;

/** Does the rule end the walk, or change the packet in passing? */
function matters(rule: RuleRecord): boolean {
  if (isPolicy(rule)) return rule.verdict === "drop";
  if (destinationOf(rule) !== null || rule.verdict === "return") return false;
  return rule.verdict !== "continue" || (rule.target !== "" && rule.target !== "RETURN");
}

/** The rules that decided something: those that matter, and the jumps that led to them. */
export function decidingRules(rules: readonly RuleRecord[]): ReadonlySet<RuleRecord> {
  const deciding = new Set<RuleRecord>();
  const stack: RuleRecord[] = [];
  for (const rule of rules) {
    while (stack.length > 0 && destinationOf(stack[stack.length - 1]!) !== rule.chain) stack.pop();
    if (destinationOf(rule) !== null) stack.push(rule);
    else if (matters(rule)) for (const one of [...stack, rule]) deciding.add(one);
  }
  return deciding;
}

/** A walk as lines: the table's, below it the rules; a walk that decided nothing is for the verbose only. */
export function walkLine({ rules, table }: Walk, outer: boolean): Line {
  const deciding = decidingRules(rules);
  const children = rules.map((rule) => ruleLine(rule, deciding.has(rule), outer));
  const count = `${table.rulesWalked} ${table.rulesWalked === 1 ? "rule" : "rules"} walked`;
  return line(deciding.size > 0 ? NORMAL : VERBOSE, table.hook, table.table, {
    tone: "rule",
    outer,
    children: [...children, line(VERBOSE, "", count, { tone: "quiet", outer })],
  });
}

function ruleLine(rule: RuleRecord, decides: boolean, outer: boolean): Line {
  const depth = decides ? NORMAL : VERBOSE;
  const tone = rule.verdict === "drop" ? "bad" : "plain";
  if (isPolicy(rule)) return line(depth, "", `${rule.chain} policy ${rule.target}`, { tone, outer });
  return line(depth, "", `${rule.chain} ${rule.rule}: ${shortRule(rule.text ?? "")}`, { tone, outer });
}
