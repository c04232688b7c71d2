/** The line of a field. Lines are looked up when there is something to say, by parsing the document once more. */
import { EVENT_ID, type Event, getScalarValue, parseEvents } from "js-yaml";
import type { Path } from "../../cluster/objects/validate.ts";
import { type Chunk, lineAt, type YamlDocument } from "./yaml.ts";

/**
 * Line of the key or list item that `path` leads to; where the path ends early (a missing field, a field behind an alias)
 * the line of the nearest one around it.
 */
export function lineOf({ chunk, index }: YamlDocument, path: Path): number {
  const events = eventsOf(chunk);
  let at = documentStart(events, index) + 1;
  let offset = startOf(events[at]);
  for (const step of path) {
    const found = child(chunk.text, events, at, step);
    if (found === null) break;
    at = found.value;
    offset = found.offset;
  }
  return lineAt(chunk, offset);
}

const parsed = new WeakMap<Chunk, Event[]>();

function eventsOf(chunk: Chunk): Event[] {
  const events = parsed.get(chunk) ?? parseEvents(chunk.text, {});
  parsed.set(chunk, events);
  return events;
}

function documentStart(events: readonly Event[], index: number): number {
  let documents = 0;
  for (const [at, event] of events.entries())
    if (event.type === EVENT_ID.DOCUMENT && documents++ === index) return at;
  throw new Error(`document ${index} of ${documents}`);
}

/** Where a key's or item's text starts, and the event its value starts at. */
function child(
  text: string,
  events: readonly Event[],
  parent: number,
  step: string | number,
): { offset: number; value: number } | null {
  const kind = events[parent]?.type;
  let at = parent + 1;
  if (kind === EVENT_ID.SEQUENCE && typeof step === "number") {
    for (let item = 0; events[at]?.type !== EVENT_ID.POP; item++) {
      if (item === step) return { offset: startOf(events[at]), value: at };
      at = afterNode(events, at);
    }
  }
  if (kind === EVENT_ID.MAPPING) {
    while (events[at]?.type !== EVENT_ID.POP) {
      const key = events[at]!;
      const value = afterNode(events, at);
      if (key.type === EVENT_ID.SCALAR && getScalarValue(text, key) === String(step))
        return { offset: startOf(key), value };
      at = afterNode(events, value);
    }
  }
  return null;
}

/** Index of the event after the node that starts at `at`. */
function afterNode(events: readonly Event[], at: number): number {
  let depth = 0;
  for (let i = at; ; i++) {
    const type = events[i]!.type;
    if (type === EVENT_ID.SEQUENCE || type === EVENT_ID.MAPPING) depth++;
    else if (type === EVENT_ID.POP) depth--;
    if (depth === 0) return i + 1;
  }
}

function startOf(event: Event | undefined): number {
  if (event === undefined) return 0;
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return Math.max(event.valueStart, 0);
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart;
    case EVENT_ID.DOCUMENT:
    case EVENT_ID.POP:
      return 0;
  }
}
