import type { TraceEvent } from "../event.ts";
import type { PacketRecord } from "../packet-record.ts";
import { BRIEF, type Line, line, NORMAL, VERBOSE } from "./line.ts";

/** An event that stands for itself: all but rules and tables, which make up walks. */
export type SingleEvent = Exclude<TraceEvent, { type: "rule" | "table" }>;

/** The packet's summary without what is inside it. */
export const withoutInner = ({ summary }: PacketRecord): string => summary.replace(/ \{.*\}$/, "");

/** One event as a line. `seen` says whether the packet looks as it did when it was last shown. */
export function eventLine(event: SingleEvent, outer: boolean, seen: (text: string) => boolean): Line {
  switch (event.type) {
    case "origin":
      return line(NORMAL, ORIGINS[event.kind], withoutInner(event.packet), { outer });
    case "device": {
      const packet = withoutInner(event.packet);
      const text = seen(packet) ? "" : packet;
      return line(NORMAL, `${event.device} ${event.direction}`, text, { tone: "device", outer });
    }
    case "nat":
      return line(isNullChange(event) ? VERBOSE : BRIEF, event.manip, natText(event), {
        tone: "change",
        outer,
      });
    case "conntrack":
      return conntrackLine(event, outer);
    case "route":
      return line(NORMAL, "route", event.result, { outer });
    case "neighbour":
      return line(
        event.state === "FAILED" ? BRIEF : VERBOSE,
        "neighbour",
        `${event.address} dev ${event.device} ${event.state}`,
        { tone: event.state === "FAILED" ? "bad" : "quiet", outer },
      );
    case "bridge":
      return bridgeLine(event, outer);
    case "tunnel":
      return tunnelLine(event, outer);
    case "fragment":
      return line(NORMAL, "fragment", `${FRAGMENTS[event.action]}: ${withoutInner(event.packet)}`, { outer });
    case "log":
      return line(NORMAL, "log", event.text, { outer });
    case "deliver":
      return line(outer ? NORMAL : BRIEF, "delivered", deliveredText(event), {
        tone: outer ? "quiet" : "good",
        outer,
      });
    case "drop":
      return line(event.reason === "OTHERHOST" ? VERBOSE : BRIEF, "dropped", dropText(event), {
        tone: "bad",
        outer,
      });
    case "socket-error":
      return line(BRIEF, "error", event.errno + (event.mtu === null ? "" : ` (path MTU ${event.mtu})`), {
        tone: "bad",
        outer,
      });
  }
}

const ORIGINS = {
  socket: "socket",
  reset: "reset",
  "icmp-echo-reply": "echo reply",
  "icmp-error": "icmp error",
  arp: "arp",
  tunnel: "tunnel",
  daemon: "flanneld",
} as const;

const FRAGMENTS = { split: "cut", queued: "waits for the others", reassembled: "put together" } as const;

type Of<T extends SingleEvent["type"]> = Extract<SingleEvent, { type: T }>;

/** The error's own addresses stay, and what it quotes is older than the translation. */
const isNullChange = ({ manip, before, after }: Of<"nat">): boolean =>
  before.inner !== undefined &&
  after.inner !== undefined &&
  before[manip] === after[manip] &&
  before.inner.source === after.inner.source &&
  before.inner.destination === after.inner.destination;

function natText({ manip, before, after }: Of<"nat">): string {
  const change = changeText(before, after, manip);
  if (before.protocol !== "icmp" || before.inner === undefined || after.inner === undefined) return change;
  const other = manip === "source" ? "destination" : "source";
  const quoted = `${changeText(before.inner, after.inner, other)} in the packet that the error quotes`;
  return before[manip] === after[manip] ? quoted : `${change}, and ${quoted}`;
}

const changeText = (before: PacketRecord, after: PacketRecord, side: "source" | "destination"): string =>
  `${before[side]} → ${after[side]}`;

function conntrackLine({ action, original, reply, state }: Of<"conntrack">, outer: boolean): Line {
  const troubled = action === "invalid" || action === "insert-failed" || action === "table-full";
  const text = `${action} ${original}${state === null ? "" : ` ${state}`}, reply ${reply}`;
  return line(troubled ? NORMAL : VERBOSE, "conntrack", text, { tone: troubled ? "bad" : "quiet", outer });
}

function bridgeLine({ bridge, action, port, detail }: Of<"bridge">, outer: boolean): Line {
  const words = {
    learn: `learns that the sender is behind ${port}`,
    forward: `forwards to ${port}`,
    flood: `floods to ${port}${detail === "" ? "" : ` (${detail})`}`,
    local: "takes the frame up",
    blocked: detail,
    "bridged-dnat": `sends it on to its new destination${detail === "" ? "" : ` (${detail})`}`,
  } as const;
  const tone = action === "blocked" ? "bad" : "quiet";
  return line(action === "blocked" ? BRIEF : VERBOSE, bridge, words[action], { tone, outer });
}

function tunnelLine({ action, device, packet }: Of<"tunnel">, outer: boolean): Line {
  const word = action === "encapsulate" ? "encapsulated" : "unpacked";
  return line(BRIEF, device, `${word}: ${packet.summary}`, { tone: "change", outer });
}

function deliveredText({ owner, packet, of }: Of<"deliver">): string {
  const asked = packet.protocol === "icmp" ? "the kernel" : "a process";
  const nobody = of === "request" ? asked : "the socket that asked";
  return `to ${owner ?? nobody}: ${withoutInner(packet)}`;
}

function dropText({ reason, location, detail, hook, table, chain, rule }: Of<"drop">): string {
  const parts = [
    hook,
    table,
    chain === null ? null : `${chain} ${rule === null || rule === 0 ? "policy" : rule}`,
  ];
  const where = parts.filter((part) => part !== null).join(" ");
  const why = detail === null || detail === "REJECT" ? "" : `: ${detail}`;
  return `${reason} in ${location}${where === "" ? "" : ` (${where})`}${why}`;
}
