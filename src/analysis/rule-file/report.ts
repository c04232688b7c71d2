import type { DropEvent, NatEvent, NetworkEvent, OriginEvent } from "../../linux/recorder.ts";
import { formatIpv4 } from "../../packet/address.ts";
import type { MatchedRule, RuleAnswer, RulePlace, WalkedTable } from "./result.ts";
import type { RuleLines } from "./rule-lines.ts";

/** What the events tell of one packet. */
export interface Report {
  readonly at: RulePlace | null;
  readonly answer: RuleAnswer | null;
  readonly rules: readonly MatchedRule[];
  readonly tables: readonly WalkedTable[];
  readonly nat: readonly NatEvent[];
  readonly log: readonly string[];
}

/** Picks the packet's own events, and its answer, from all that happened. */
export function report(events: readonly NetworkEvent[], serial: number, lines: RuleLines): Report {
  const rules: MatchedRule[] = [];
  const tables: WalkedTable[] = [];
  const nat: NatEvent[] = [];
  const log: string[] = [];
  const dropped = new Set<number>();
  let drop: DropEvent | null = null;
  let answer: OriginEvent | null = null;
  for (const event of events) {
    if (event.type === "log") log.push(event.text);
    else if (event.type === "origin" && event.cause === serial) answer = event;
    else if (event.type === "drop") {
      dropped.add(event.serial);
      if (event.serial === serial) drop = event;
    }
    if (event.serial !== serial) continue;
    if (event.type === "nat") nat.push(event);
    else if (event.type === "table") {
      const { hook, table, rulesWalked } = event;
      tables.push({ hook, table, rulesWalked });
    } else if (event.type === "rule" && event.text !== null) {
      const { hook, table, chain, rule, target, verdict, text } = event;
      rules.push({ hook, table, chain, rule, target, verdict, text, line: lines(table, chain, rule) });
    }
  }
  const heard = answer !== null && !dropped.has(answer.serial) ? answerOf(answer) : null;
  return { at: drop === null ? null : placeOf(drop, lines), answer: heard, rules, tables, nat, log };
}

function placeOf({ hook, table, chain, rule, detail }: DropEvent, lines: RuleLines): RulePlace {
  const line = table === null || chain === null || rule === null ? null : lines(table, chain, rule);
  return { hook: hook!, table, chain, rule, line, detail };
}

function answerOf({ kind, packet }: OriginEvent): RuleAnswer {
  const from = formatIpv4(packet.src);
  if (kind === "reset") return { kind: "tcp-reset", from };
  return { kind: "icmp", type: packet.icmpType, code: packet.icmpCode, from };
}
