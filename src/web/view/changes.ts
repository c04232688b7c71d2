/** What is different between two answers to the same question, in words. */
import { placeText } from "../../trace/text/verdict-text.ts";
import type { PathEntry, RuleEntry, Trace } from "../../trace/trace.ts";

/** One difference; null where one of the two has nothing. */
export interface Change {
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Differences of outcome first, then of the way, then of the rules that matched. Times do not count. */
export function changesBetween(before: Trace, after: Trace): Change[] {
  const changes: Change[] = [];
  const compare = (what: string, a: string | null, b: string | null): void => {
    if (a !== b) changes.push({ what, before: a, after: b });
  };
  compare("verdict", verdictOf(before), verdictOf(after));
  compare("received by", receiverOf(before), receiverOf(after));
  compare("receiver sees", seenOf(before), seenOf(after));
  compare("reply", replyOf(before), replyOf(after));
  compare("ICMP error", icmpOf(before), icmpOf(after));
  changes.push(...sequence("crosses", before.path.map(crossing), after.path.map(crossing)));
  changes.push(...sequence("rule", before.rules.map(ruleName), after.rules.map(ruleName)));
  compare("rules looked at", String(before.rulesEvaluated), String(after.rulesEvaluated));
  return changes;
}

function verdictOf({ verdict, reason, at }: Trace): string {
  const place = placeText(at);
  return [verdict, reason, place === "" ? null : `in ${place}`].filter((word) => word !== null).join(" ");
}

const receiverOf = ({ delivered }: Trace): string | null =>
  delivered === null ? null : [delivered.netns, delivered.container].filter(Boolean).join(" ");

const seenOf = ({ delivered }: Trace): string | null =>
  delivered === null ? null : `${delivered.source} → ${delivered.destination}, ttl ${delivered.ttl}`;

const replyOf = ({ reply }: Trace): string | null =>
  reply === null
    ? null
    : [reply.verdict, reply.reason, `${reply.source} → ${reply.destination}`].filter(Boolean).join(" ");

const icmpOf = ({ icmp }: Trace): string | null =>
  icmp === null ? null : `type ${icmp.type} code ${icmp.code} from ${icmp.from}`;

const crossing = ({ netns, device, direction, of }: PathEntry): string =>
  `${netns} ${device} ${direction}${of === "request-outer" ? " (tunnel)" : ""}`;

const ruleName = ({ netns, hook, table, chain, rule, target }: RuleEntry): string =>
  `${netns} ${hook} ${table}: ${chain} ${rule} ${target}`.trimEnd();

/** What only one of two lists has, by the longest common subsequence. */
function sequence(what: string, before: readonly string[], after: readonly string[]): Change[] {
  const common = lengths(before, after);
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && common[i + 1]![j]! >= common[i]![j + 1]!))
      changes.push({ what, before: before[i++]!, after: null });
    else changes.push({ what, before: null, after: after[j++]! });
  }
  return changes;
}

/** `[i][j]`: length of the longest common subsequence of what begins at i and at j. */
function lengths(before: readonly string[], after: readonly string[]): number[][] {
  const rows = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      rows[i]![j] =
        before[i] === after[j] ? rows[i + 1]![j + 1]! + 1 : Math.max(rows[i + 1]![j]!, rows[i]![j + 1]!);
  return rows;
}
