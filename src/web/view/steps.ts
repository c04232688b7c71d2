/**
 * A trace as the steps that a reader goes through: one a thing that happened, in the order of happening, each with its
 * place and in words. A walk through a table's rules is one step.
 */
import type { TraceEvent } from "../../trace/event.ts";
import type { PacketRecord } from "../../trace/packet-record.ts";
import { eventLine, type SingleEvent, withoutInner } from "../../trace/text/event-line.ts";
import { BRIEF, type Depth, type Line, NORMAL, type Tone, VERBOSE } from "../../trace/text/line.ts";
import { decidingRules, walkLine } from "../../trace/text/walk.ts";
import type { Trace } from "../../trace/trace.ts";

type RuleRecord = Extract<TraceEvent, { type: "rule" }>;

export interface Step {
  /** Position in the trace's steps, from 0. */
  readonly index: number;
  readonly netns: string;
  /** The device at which it happens; null inside the namespace. */
  readonly device: string | null;
  readonly kind: TraceEvent["type"];
  /** Whose step: `request`, `reply`, …, without `-outer`. */
  readonly of: string;
  /** It is about the tunnel's packet. */
  readonly outer: boolean;
  /** A bridge flooded the frame, and this is where it was none of anybody's business. */
  readonly overheard: boolean;
  readonly depth: Depth;
  readonly tone: Tone;
  /** Short word. */
  readonly label: string;
  /** A sentence. */
  readonly words: string;
  /** The rules of a walk. */
  readonly children: readonly Line[];
  /** The packet as it is now, where the event tells. */
  readonly packet: PacketRecord | null;
  readonly timeUs: number;
}

/** Roles that are read by default; what else happens is for those who want every step. */
const MAIN = new Set(["request", "reply", "reset", "icmp-error"]);

/** flannel's daemon is told to have packed a packet once the outer one is on its way; a reader wants to know before. */
function inTellingOrder(events: readonly TraceEvent[]): TraceEvent[] {
  const packing = new Map<number, TraceEvent>();
  for (const event of events)
    if (event.type === "tunnel" && event.action === "encapsulate") packing.set(event.outer, event);
  const moved = new Set<TraceEvent>();
  return events.flatMap((event) => {
    if (moved.has(event)) return [];
    const packed = event.type === "origin" ? packing.get(event.serial) : undefined;
    if (packed === undefined || moved.has(packed) || events.indexOf(packed) < events.indexOf(event))
      return [event];
    moved.add(packed);
    return [packed, event];
  });
}

/** All steps of a trace. */
export function stepsOf({ events }: Trace): Step[] {
  const steps: Step[] = [];
  const walking = new Map<number, RuleRecord[]>();
  const overheard = overheardIn(events);
  for (const event of inTellingOrder(events)) {
    if (event.type === "rule") {
      const rules = walking.get(event.serial) ?? [];
      rules.push(event);
      walking.set(event.serial, rules);
      continue;
    }
    const outer = event.of.endsWith("-outer");
    const rules = walking.get(event.serial) ?? [];
    const line =
      event.type === "table"
        ? walkLine({ rules, table: event }, outer)
        : eventLine(event, outer || event.of === "arp", () => false);
    if (event.type === "table") walking.delete(event.serial);
    const of = event.of.replace(/-outer$/, "");
    steps.push({
      index: steps.length,
      netns: event.netns,
      device: deviceOf(event),
      kind: event.type,
      of,
      outer,
      overheard: overheard.has(stayOf(event)),
      depth: overheard.has(stayOf(event)) ? VERBOSE : depthOf(line, event, of),
      tone: line.tone,
      label: line.label,
      words: event.type === "table" ? walkWords(line, rules, event.rulesWalked) : eventWords(event, line),
      children: line.children.filter(({ text }) => !/ walked$/.test(text)),
      packet: packetOf(event),
      timeUs: event.time_us,
    });
  }
  return steps;
}

const stayOf = ({ serial, netns }: TraceEvent): string => `${serial} ${netns}`;

/** The stays of packets in namespaces that only threw them away as somebody else's. */
function overheardIn(events: readonly TraceEvent[]): ReadonlySet<string> {
  const isThrownAway = (event: TraceEvent): boolean => event.type === "drop" && event.reason === "OTHERHOST";
  const overheard = new Set(events.filter(isThrownAway).map(stayOf));
  for (const event of events)
    if (!isThrownAway(event) && !(event.type === "device" && event.direction === "rx"))
      overheard.delete(stayOf(event));
  return overheard;
}

function depthOf(line: Line, event: TraceEvent, of: string): Depth {
  if (!MAIN.has(of)) return VERBOSE;
  if (event.type === "origin" && !event.of.endsWith("-outer")) return BRIEF;
  return line.depth;
}

function deviceOf(event: TraceEvent): string | null {
  switch (event.type) {
    case "device":
    case "tunnel":
    case "neighbour":
    case "drop":
      return event.device;
    case "bridge":
      return event.bridge;
    default:
      return null;
  }
}

function packetOf(event: TraceEvent): PacketRecord | null {
  if (event.type === "nat") return event.after;
  return "packet" in event ? event.packet : null;
}

/** The rule that decided, or the policy, and how many were looked at. */
function walkWords({ label, text }: Line, rules: readonly RuleRecord[], walked: number): string {
  const numbered = rules.filter(({ rule }) => rule > 0);
  const policy = rules.find(({ rule }) => rule === 0);
  const decisive = [...decidingRules(rules)].filter(({ rule }) => rule > 0).at(-1);
  const count = `${numbered.length} of ${walked} rules ${numbered.length === 1 ? "matches" : "match"}`;
  const parts = [
    ...(decisive === undefined ? [] : [`${decisive.chain} ${decisive.rule} ${decisive.target}`.trimEnd()]),
    ...(policy === undefined ? [] : [`policy ${policy.target}`]),
  ];
  return `${label} ${text}: ${[...parts, count].join(", ")}`;
}

function eventWords(event: SingleEvent, { label, text }: Line): string {
  switch (event.type) {
    case "origin":
      return `${ORIGINS[event.kind]}: ${text}`;
    case "device":
      return `${event.direction === "tx" ? "Leaves through" : "Arrives at"} ${event.device}: ${text}`;
    case "route":
      return `Routing decides: ${text}`;
    case "nat":
      return `${event.manip === "source" ? "Source" : "Destination"} address translated: ${text}`;
    case "conntrack":
      return `Connection tracking: ${text}`;
    case "neighbour":
      return `Neighbour ${text}`;
    case "bridge":
      return `Bridge ${label} ${text}`;
    case "tunnel":
      return event.action === "encapsulate"
        ? `${event.device} puts it into another packet: ${withoutInner(event.packet)}`
        : `${event.device} takes it out of the other packet: ${withoutInner(event.packet)}`;
    case "fragment":
      return `Fragment ${text}`;
    case "log":
      return `Logged: ${text}`;
    case "deliver":
      return `Delivered ${text}`;
    case "drop":
      return `Dropped: ${text}`;
    case "socket-error":
      return `The socket gets an error: ${text}`;
  }
}

const ORIGINS = {
  socket: "A socket sends",
  reset: "The kernel answers with a reset",
  "icmp-echo-reply": "The kernel answers the echo",
  "icmp-error": "The kernel sends an ICMP error",
  arp: "ARP asks or answers",
  tunnel: "A tunnel packet begins",
  daemon: "flanneld sends",
} as const;

export const LEVELS = ["brief", "normal", "every"] as const;
export type Level = (typeof LEVELS)[number];
const DEPTH_OF: Readonly<Record<Level, Depth>> = { brief: BRIEF, normal: NORMAL, every: VERBOSE };

/** The steps of a level of detail. */
export const stepsAt = (steps: readonly Step[], level: Level): Step[] =>
  steps.filter(({ depth }) => depth <= DEPTH_OF[level]);
