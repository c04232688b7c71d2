/** Events as `kubectl get events` and `kubectl describe` show them. */
import { type ClusterEvent, eventsAbout } from "../../cluster/controllers/event.ts";
import type { KubernetesObject } from "../../cluster/objects/store.ts";
import { duration } from "./age.ts";
import type { Call } from "./call.ts";
import { table } from "./table.ts";

/** The part at the end of a description: `No events.`, or a table whose cells are separated by tabs. */
export function describedEvents(call: Call, object: KubernetesObject): string {
  const events = eventsAbout(call.session.plane.state.events, object);
  if (events.length === 0) return "No events.\n";
  const header = ["FirstSeen", "LastSeen", "Count", "From", "SubObjectPath", "Type", "Reason", "Message"];
  const rows = [
    header,
    header.map((word) => "-".repeat(DASHES[word] ?? word.length)),
    ...events.map((one) => cells(one, call.now)),
  ];
  return `Events:\n${rows.map((row) => `  ${row.join("\t")}\n`).join("")}`;
}

/** Dashes under a heading: as many as it has letters, but for these. */
const DASHES: Readonly<Record<string, number>> = { Type: 8 };

function cells(event: ClusterEvent, now: number): string[] {
  return [
    duration(now - event.firstSeen),
    duration(now - event.lastSeen),
    String(event.count),
    `{${event.component} ${event.host}}`,
    event.fieldPath,
    event.type,
    event.reason,
    event.message,
  ];
}

/** `kubectl get events` */
export function eventsTable(call: Call): string {
  const events = call.session.plane.state.events.filter(
    ({ namespace }) => call.allNamespaces || namespace === call.namespace,
  );
  const header = [
    "LASTSEEN",
    "FIRSTSEEN",
    "COUNT",
    "NAME",
    "KIND",
    "SUBOBJECT",
    "TYPE",
    "REASON",
    "SOURCE",
    "MESSAGE",
  ];
  const rows = events.map((event) => [
    duration(call.now - event.lastSeen),
    duration(call.now - event.firstSeen),
    String(event.count),
    event.name,
    event.kind,
    event.fieldPath,
    event.type,
    event.reason,
    `{${event.component} ${event.host}}`,
    event.message,
  ]);
  return table(header, rows);
}
