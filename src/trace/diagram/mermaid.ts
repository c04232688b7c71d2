import type { Trace } from "../trace.ts";
import { gistOf, isGood, momentText } from "./gist.ts";
import type { Diagram, Hop, Moment, Way } from "./model.ts";

/**
 * The trace as a Mermaid sequence diagram: a participant a namespace, those of one node boxed together, an arrow each
 * time the packet goes over into another one, a note where it is changed or ends. Names are written as entities where
 * Mermaid would read them as its own syntax, so any name shows as it is.
 */
export function mermaidOf(diagram: Diagram, trace: Trace): string {
  const names = participantsOf(diagram);
  const last = [...names.values()];
  const across = last.length > 1 ? `${last[0]!},${last[last.length - 1]!}` : (last[0] ?? "");
  const lines = [
    "sequenceDiagram",
    `title ${text(diagram.title)}`,
    ...declarations(diagram, names),
    ...diagram.ways.flatMap((way) => wayLines(way, names)),
  ];
  if (across !== "") lines.push(`Note over ${across}: ${text(isGood(trace) ? trace.verdict : endOf(trace))}`);
  return `${[lines[0]!, ...lines.slice(1).map((line) => `    ${line}`)].join("\n")}\n`;
}

const endOf = ({ verdict, reason, reply }: Trace): string =>
  verdict === "delivered" && reply !== null
    ? `delivered, but the reply ${reply.verdict}${reply.reason === null ? "" : ` ${reply.reason}`}`
    : `${verdict}${reason === null ? "" : ` ${reason}`}`;

/** Mermaid's own identifiers, by namespace, in the order in which the packet first comes there. */
function participantsOf({ ways }: Diagram): Map<string, string> {
  const names = new Map<string, string>();
  for (const { hops } of ways)
    for (const { netns } of hops) if (!names.has(netns)) names.set(netns, `n${names.size + 1}`);
  return names;
}

/** Participants stand in that order, but those of a node side by side. */
function declarations({ boxes }: Diagram, names: ReadonlyMap<string, string>): string[] {
  const machineOf = (netns: string): string => netns.split("/")[0]!;
  const lines: string[] = [];
  for (const machine of new Set([...names.keys()].map(machineOf))) {
    const own = [...names].filter(([netns]) => machineOf(netns) === machine);
    const declared = own.map(([netns, name]) => {
      const label = boxes.find(({ id }) => id === `netns:${netns}`)?.label ?? netns;
      return `participant ${name} as ${text(label)}`;
    });
    const isNode = boxes.some(({ id, kind }) => id === `netns:${machine}` && kind === "node");
    lines.push(
      ...(isNode ? [`box ${text(machine)}`, ...declared.map((line) => `    ${line}`), "end"] : declared),
    );
  }
  return lines;
}

function wayLines({ role, title, packet, hops }: Way, names: ReadonlyMap<string, string>): string[] {
  const arrow = role === "request" ? "->>" : "-->>";
  const lines: string[] = [];
  for (const [i, hop] of hops.entries()) {
    const name = names.get(hop.netns)!;
    const before = hops[i - 1];
    if (before === undefined)
      lines.push(note(name, [`${hop.number}. ${title}`, packet.summary, ...notes(hop)]));
    else {
      const [devices, ...packets] = crossing(before, hop);
      lines.push(
        `${names.get(before.netns)!}${arrow}${name}: ${broken([`${hop.number}. ${devices}`, ...packets])}`,
      );
      const said = notes(hop);
      if (said.length > 0) lines.push(note(name, said));
    }
  }
  return lines;
}

/** A packet stands on a line of its own, behind what is said of it. */
const notes = (hop: Hop): string[] =>
  gistOf(hop).flatMap((moment) => momentText(moment).split(/(?<=:) (?=tcp|udp|icmp|sctp|ip-proto)/));

const note = (name: string, said: readonly string[]): string => `Note over ${name}: ${broken(said)}`;

const broken = (lines: readonly string[]): string => lines.map(text).join("<br/>");

/** The devices on both sides, the packet between them, and the one inside it. */
function crossing(before: Hop, { devices, moments }: Hop): string[] {
  const out = before.devices.at(-1)?.device ?? "";
  const into = devices[0]?.device ?? "";
  const packet = moments.find(({ packet }: Moment) => packet !== null)?.packet;
  const [, outer = "", inner] = /^(.*?)(?: \{(.*)\})?$/.exec(packet?.summary ?? "") ?? [];
  return [`${out} → ${into}`, outer, ...(inner === undefined ? [] : [`carrying ${inner}`])];
}

const text = (plain: string): string =>
  plain
    .replaceAll(" > ", " → ")
    .replace(/[^A-Za-z0-9 .,:/()[\]_→+=*!?-]/gu, (sign) => `#${sign.codePointAt(0)!};`);
