import type { TraceEvent } from "../event.ts";
import type { Trace } from "../trace.ts";
import { eventLine } from "./event-line.ts";
import { BRIEF, type Depth, type Line, NORMAL, type Section } from "./line.ts";
import { walkLine } from "./walk.ts";

type RuleRecord = Extract<TraceEvent, { type: "rule" }>;

const PARTS = ["request", "icmp-error", "reset", "reply", "follow-up"] as const;
type Part = (typeof PARTS)[number];

const TITLES: Record<Part, string> = {
  request: "request",
  "icmp-error": "ICMP error",
  reset: "reset",
  reply: "reply",
  "follow-up": "the rest of the conversation",
};
const DEPTHS: Record<Part, Depth | 0> = {
  request: NORMAL,
  "icmp-error": BRIEF,
  reset: BRIEF,
  reply: BRIEF,
  "follow-up": 0,
};

/** The trace as a tree: a section a packet of interest, in it the namespaces crossed, in those what happened. */
export function sectionsOf({ events }: Trace): Section[] {
  const partOf = partsBySerial(events);
  return PARTS.flatMap((part) => {
    const own = events.filter((e) => partOf.get(e.serial) === part);
    if (own.length === 0) return [];
    const origin = own.find((e) => e.type === "origin" && e.of === part);
    const detail = part !== "follow-up" && origin?.type === "origin" ? origin.packet.summary : "";
    return [{ title: TITLES[part], detail, depth: DEPTHS[part], namespaces: namespacesOf(own) }];
  });
}

/** The section of every packet; an ARP packet goes with the one that waits for its answer. */
function partsBySerial(events: readonly TraceEvent[]): Map<number, Part> {
  const parts = new Map<number, Part>();
  for (const e of events) {
    if (e.type !== "origin") continue;
    const role = e.of.replace(/-outer$/, "");
    const part = PARTS.find((one) => one === role) ?? (role === "arp" ? parts.get(e.cause) : undefined);
    if (part !== undefined) parts.set(e.serial, part);
  }
  return parts;
}

function namespacesOf(events: readonly TraceEvent[]): { netns: string; lines: Line[] }[] {
  const namespaces: { netns: string; lines: Line[] }[] = [];
  const shown = new Map<number, string>();
  let rules: RuleRecord[] = [];
  for (const event of events) {
    if (namespaces[namespaces.length - 1]?.netns !== event.netns)
      namespaces.push({ netns: event.netns, lines: [] });
    const { lines } = namespaces[namespaces.length - 1]!;
    const outer = event.of.endsWith("-outer") || event.of === "arp";
    if (event.type === "rule") rules.push(event);
    else if (event.type === "table") {
      lines.push(walkLine({ rules, table: event }, outer));
      rules = [];
    } else {
      const seen = (text: string): boolean => {
        const before = shown.get(event.serial);
        shown.set(event.serial, text);
        return before === text;
      };
      if (event.type === "origin") seen(event.packet.summary);
      const made = eventLine(event, outer, seen);
      lines.push(event.of === "arp" ? { ...made, depth: 3 } : made);
    }
  }
  return namespaces;
}
