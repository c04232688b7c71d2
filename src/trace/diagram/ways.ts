import type { TraceableCluster } from "../cluster.ts";
import type { TraceEvent } from "../event.ts";
import { eventLine } from "../text/event-line.ts";
import { partition } from "../text/sections.ts";
import { walkLine } from "../text/walk.ts";
import type { Trace } from "../trace.ts";
import { netnsId } from "./box-id.ts";
import type { Hop, HopEnd, Leg, Moment, Way, WayRole } from "./model.ts";
import { PlaceMap } from "./place.ts";

/** The ways of a trace, every box that one of them touches, and the processes at their ends by namespace. */
export interface Ways {
  readonly ways: readonly Way[];
  readonly used: ReadonlySet<string>;
  readonly processes: ReadonlyMap<string, ReadonlySet<string>>;
}

const TITLES: Readonly<Record<WayRole, string>> = {
  request: "request",
  "icmp-error": "ICMP error",
  reset: "reset",
  reply: "reply",
};
const isDrawn = (role: string): role is WayRole => Object.hasOwn(TITLES, role);

type Numbered = TraceEvent & { readonly index: number };

/**
 * The request's way and those of what came of it. Left out: ARP, the rest of a TCP conversation, and copies of flooded
 * frames where they are for somebody else.
 */
export function waysOf({ network }: TraceableCluster, trace: Trace): Ways {
  const { sectionOf, heads } = partition(trace.events);
  const numbered: Numbered[] = trace.events.map((event, index) => ({ ...event, index }));
  const map = new PlaceMap(network.namespaces, trace.events);
  const ways: Way[] = [];
  let number = 1;
  for (const head of heads) {
    const role = head.of;
    if (!isDrawn(role)) continue;
    const own = numbered.filter((e) => sectionOf.get(e.serial) === head && e.of !== "arp");
    const { hops, legs } = new WayWalk(map, number).walk(own);
    number += hops.length;
    const title = head.packet.summary.includes(" type 5/") ? "ICMP redirect" : TITLES[role];
    ways.push({ role, title, packet: head.packet, hops, legs });
  }
  const used = new Set<string>();
  for (const { hops, legs } of ways) {
    for (const { box } of hops) used.add(box);
    for (const { from, to } of legs) used.add(from).add(to);
  }
  return { ways, used, processes: map.processes };
}

/** Goes a packet's way event by event. */
class WayWalk {
  private readonly hops: Hop[] = [];
  private readonly legs: Leg[] = [];
  private readonly map: PlaceMap;
  private readonly first: number;
  /** Where the packet was last, in each namespace. */
  private readonly last = new Map<string, string>();
  /** Namespaces that got nothing but a copy meant for somebody else. */
  private misled: ReadonlySet<string> = new Set();

  constructor(map: PlaceMap, first: number) {
    this.map = map;
    this.first = first;
  }

  walk(events: readonly Numbered[]): { hops: Hop[]; legs: Leg[] } {
    const { stays, misled } = staysOf(events);
    this.misled = misled;
    for (const stay of stays) this.stay(stay);
    return { hops: this.hops, legs: this.legs };
  }

  private stay(events: readonly Numbered[]): void {
    const { netns } = events[0]!;
    const number = this.first + this.hops.length;
    const moments: Moment[] = [];
    const devices: Hop["devices"][number][] = [];
    let end: HopEnd = "sent";
    let rules: Extract<TraceEvent, { type: "rule" }>[] = [];
    const seen = seenBy();
    for (const e of events) {
      const outer = isOuter(e);
      const at = this.move(e, number, outer);
      if (e.type === "device") devices.push({ device: e.device, direction: e.direction });
      if (e.type === "deliver" && !outer) end = "delivered";
      if (e.type === "drop" && e.reason !== "OTHERHOST") end = "dropped";
      if (e.type === "rule") rules.push(e);
      else if (e.type === "table") {
        moments.push(momentOf(e, at, walkLine({ rules, table: e }, outer)));
        rules = [];
      } else
        moments.push(
          momentOf(
            e,
            at,
            eventLine(e, outer, (text) => seen(e.serial, text)),
          ),
        );
    }
    const label = netns.split("/").at(-1)!;
    this.hops.push({ number, netns, box: netnsId(netns), label, end, moments, devices });
  }

  /** Takes the packet to where the event happens; returns the box. */
  private move(e: Numbered, hop: number, outer: boolean): string {
    const before = this.last.get(e.netns) ?? null;
    const to = this.map.of(e);
    if (to === null) return before ?? netnsId(e.netns);
    if (e.type === "device") {
      const peer = this.map.peerOf(e);
      if (e.direction === "tx" && peer !== null && this.misled.has(peer)) return before ?? to;
      this.leg(this.map.before(e) ?? before, to, hop, outer);
      const segment = e.direction === "tx" ? this.map.segmentOf(e) : null;
      if (segment !== null) this.leg(to, segment, hop, outer);
    } else this.leg(before, to, hop, outer);
    this.last.set(e.netns, to);
    return to;
  }

  private leg(from: string | null, to: string, hop: number, outer: boolean): void {
    if (from === null || from === to) return;
    this.legs.push({ from, to, hop, outer });
  }
}

const isOuter = (e: TraceEvent): boolean => e.of.endsWith("-outer");

function momentOf(e: Numbered, at: string, line: Moment["line"]): Moment {
  const change = e.type === "nat" ? { what: e.manip, before: e.before, after: e.after } : null;
  const packet = e.type === "nat" ? e.after : "packet" in e ? e.packet : null;
  return { at, line, outer: isOuter(e), event: e.index, change, packet };
}

/** Remembers how each packet looked when it was last shown. */
function seenBy(): (serial: number, text: string) => boolean {
  const shown = new Map<number, string>();
  return (serial, text) => {
    const before = shown.get(serial);
    shown.set(serial, text);
    return before === text;
  };
}

/**
 * The stays in namespaces, one after the other, without those of copies that were not meant for who got them; and the
 * namespaces that got nothing else.
 */
function staysOf(events: readonly Numbered[]): { stays: Numbered[][]; misled: ReadonlySet<string> } {
  const stays = inARow(events.map((e) => [e]));
  const kept = inARow(stays.filter((stay) => !isMisdirected(stay)));
  const visited = new Set(kept.map((stay) => stay[0]!.netns));
  const misled = new Set(stays.map((stay) => stay[0]!.netns).filter((netns) => !visited.has(netns)));
  return { stays: kept, misled };
}

/** Neighbouring lists of events in one namespace as one list. */
function inARow(lists: readonly Numbered[][]): Numbered[][] {
  const rows: Numbered[][] = [];
  for (const list of lists) {
    const current = rows[rows.length - 1];
    if (current !== undefined && current[0]!.netns === list[0]!.netns) current.push(...list);
    else rows.push([...list]);
  }
  return rows;
}

const isMisdirected = (stay: readonly Numbered[]): boolean =>
  stay.some((e) => e.type === "drop" && e.reason === "OTHERHOST") &&
  stay.every((e) => e.type === "drop" || (e.type === "device" && e.direction === "rx"));
