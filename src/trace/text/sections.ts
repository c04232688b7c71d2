import type { TraceEvent } from "../event.ts";
import type { Trace } from "../trace.ts";
import { eventLine } from "./event-line.ts";
import { BRIEF, type Depth, type Line, NORMAL, type Section } from "./line.ts";
import { walkLine } from "./walk.ts";

type RuleRecord = Extract<TraceEvent, { type: "rule" }>;

/** Roles that have sections; a packet of another role belongs to the one that caused it, or to none. */
const TITLES = {
  request: "request",
  "icmp-error": "ICMP error",
  reset: "reset",
  reply: "reply",
  "follow-up": "the rest of the conversation",
} as const;
type Part = keyof typeof TITLES;

const DEPTHS: Record<Part, Depth | 0> = {
  request: NORMAL,
  "icmp-error": BRIEF,
  reset: BRIEF,
  reply: BRIEF,
  "follow-up": 0,
};

const isPart = (role: string): role is Part => Object.hasOwn(TITLES, role);

/**
 * The trace as a tree: a section a packet of interest, the request's first and the rest of a TCP conversation together
 * at the end; in it the namespaces crossed, in those what happened.
 */
export function sectionsOf({ events }: Trace): Section[] {
  const { sectionOf, heads } = partition(events);
  return heads.map((head) => {
    const part = head.of as Part;
    const own = events.filter((e) => sectionOf.get(e.serial) === head);
    return {
      title: head.packet.summary.includes(" type 5/") ? "ICMP redirect" : TITLES[part],
      detail: part === "follow-up" ? "" : head.packet.summary,
      depth: DEPTHS[part],
      namespaces: namespacesOf(own),
    };
  });
}

type OriginRecord = Extract<TraceEvent, { type: "origin" }>;

/**
 * To which section each packet belongs, by the packet that heads it. A tunnel's packet goes with what it carries, an ARP
 * packet with what waits for its answer.
 */
export function partition(events: readonly TraceEvent[]): {
  sectionOf: ReadonlyMap<number, OriginRecord>;
  heads: readonly OriginRecord[];
} {
  const sectionOf = new Map<number, OriginRecord>();
  const heads: OriginRecord[] = [];
  let conversation: OriginRecord | null = null;
  for (const e of events) {
    if (e.type !== "origin") continue;
    if (e.of === "follow-up") {
      conversation ??= e;
      sectionOf.set(e.serial, conversation);
    } else if (isPart(e.of)) {
      heads.push(e);
      sectionOf.set(e.serial, e);
    } else {
      const carried = sectionOf.get(e.cause);
      if (carried !== undefined) sectionOf.set(e.serial, carried);
    }
  }
  return { sectionOf, heads: conversation === null ? heads : [...heads, conversation] };
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
