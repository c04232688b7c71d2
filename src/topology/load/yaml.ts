/**
 * YAML (and JSON, which is YAML) to plain values.
 *
 * js-yaml parses text into events; values are built here, so that aliases are counted, `__proto__` is a key that does
 * nothing, and a tag beyond YAML's own core is refused. A null in a mapping is as good as an absent key, as it is to the
 * API server. A document starts at a line `---` wherever that stands (YAML 1.2, 9.1.2), so each is parsed by itself and a
 * fault in one hides none in the next.
 */
import {
  boolCoreTag,
  EVENT_ID,
  type Event,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  type ScalarTagDefinition,
  YAMLException,
} from "js-yaml";
import { documentFault, type Fault } from "./fault.ts";

/** Part of a file that is parsed by itself. `firstLine` is the line its text begins on, from 1. */
export interface Chunk {
  file: string;
  firstLine: number;
  text: string;
}

/** One document: its value, and where to look for the lines of its fields. */
export interface YamlDocument {
  chunk: Chunk;
  /** Which document of the chunk, from 0. */
  index: number;
  value: unknown;
}

/** How many nodes the aliases of one file may stand for, all in all. */
const MAX_ALIASED_NODES = 1_000_000;

/**
 * Parses one file. Faults of syntax, keys, tags and aliases are pushed to `faults`.
 *
 * @param onRead hears how many of the file's documents are read, and how many there are.
 */
export function parseYaml(
  file: string,
  text: string,
  faults: Fault[],
  onRead: ((done: number, total: number) => void) | null = null,
): YamlDocument[] {
  const budget = { aliasedNodes: MAX_ALIASED_NODES };
  const documents: YamlDocument[] = [];
  const chunks = split(file, text.replace(/^\ufeff/, ""));
  for (const [i, chunk] of chunks.entries()) {
    if (budget.aliasedNodes < 0) break;
    for (const document of parseChunk(chunk, budget, faults)) documents.push(document);
    if (onRead !== null) onRead(i + 1, chunks.length);
  }
  return documents;
}

/** Line of an offset into a chunk. */
export function lineAt({ text, firstLine }: Chunk, offset: number): number {
  let line = firstLine;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** Directives (`%YAML`, `%TAG`) stand before the `---` of their document: a file with any is not split. */
function split(file: string, text: string): Chunk[] {
  if (/^%/m.test(text)) return [{ file, firstLine: 1, text }];
  const chunks: Chunk[] = [];
  let start = 0;
  let firstLine = 1;
  const cut = (end: number) => {
    const part = text.slice(start, end);
    chunks.push({ file, firstLine, text: part });
    for (let at = part.indexOf("\n"); at >= 0; at = part.indexOf("\n", at + 1)) firstLine++;
    start = end;
  };
  for (const marker of text.matchAll(/^---(?=\s|$)/gm)) if (marker.index > 0) cut(marker.index);
  cut(text.length);
  return chunks;
}

function parseChunk(chunk: Chunk, budget: Budget, faults: Fault[]): YamlDocument[] {
  try {
    const events = parseEvents(chunk.text, { filename: chunk.file });
    return new Builder(chunk, events, budget, faults).documents();
  } catch (error) {
    if (!(error instanceof YAMLException || error instanceof YamlFault)) throw error;
    const line = error instanceof YamlFault ? error.line : chunk.firstLine + (error.mark?.line ?? 0);
    faults.push(documentFault(chunk.file, line, error instanceof YamlFault ? error.message : error.reason));
    return [];
  }
}

/** A fault after which a document cannot be read on. */
class YamlFault extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

interface Budget {
  aliasedNodes: number;
}

/** A finished node and how many nodes it consists of, aliases written out. */
interface Built {
  value: unknown;
  nodes: number;
}

const CORE_TAGS = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];
const EXPLICIT_TAGS: Record<string, ScalarTagDefinition<unknown> | null> = {
  "!!null": nullCoreTag,
  "!!bool": boolCoreTag,
  "!!int": intCoreTag,
  "!!float": floatCoreTag,
  "!!str": null,
  "!": null,
};

/** Builds the values of one chunk's events. */
class Builder {
  private readonly chunk: Chunk;
  private readonly events: Event[];
  private readonly budget: Budget;
  private readonly faults: Fault[];
  private at = 0;
  private anchors = new Map<string, Built>();

  constructor(chunk: Chunk, events: Event[], budget: Budget, faults: Fault[]) {
    this.chunk = chunk;
    this.events = events;
    this.budget = budget;
    this.faults = faults;
  }

  documents(): YamlDocument[] {
    const documents: YamlDocument[] = [];
    for (let index = 0; this.at < this.events.length; index++) {
      this.at++;
      this.anchors = new Map();
      if (this.events[this.at]?.type !== EVENT_ID.POP) {
        const { value } = this.node();
        if (value !== null) documents.push({ chunk: this.chunk, index, value });
      }
      this.at++;
    }
    return documents;
  }

  private node(): Built {
    const event = this.events[this.at++]!;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.anchored(event, { value: this.scalar(event), nodes: 1 });
      case EVENT_ID.SEQUENCE:
        return this.anchored(event, this.sequence());
      case EVENT_ID.MAPPING:
        return this.anchored(event, this.mapping());
      case EVENT_ID.ALIAS:
        return this.alias(this.chunk.text.slice(event.anchorStart, event.anchorEnd), event.anchorStart);
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
        throw new Error(`event ${event.type} where a node should start in ${this.chunk.file}`);
    }
  }

  private anchored(
    event: { anchorStart: number; anchorEnd: number; tagStart: number; tagEnd: number },
    built: Built,
  ): Built {
    if (event.anchorStart >= 0)
      this.anchors.set(this.chunk.text.slice(event.anchorStart, event.anchorEnd), built);
    if (event.tagStart >= 0)
      this.checkTag(this.chunk.text.slice(event.tagStart, event.tagEnd), event.tagStart);
    return built;
  }

  private checkTag(tag: string, offset: number): void {
    if (tag === "!!map" || tag === "!!seq" || Object.hasOwn(EXPLICIT_TAGS, tag)) return;
    this.fault(offset, `the tag ${tag} is not allowed`);
  }

  private alias(name: string, offset: number): Built {
    const built = this.anchors.get(name);
    if (built === undefined)
      throw new YamlFault(lineAt(this.chunk, offset), `the alias *${name} has no anchor &${name} before it`);
    this.budget.aliasedNodes -= built.nodes;
    if (this.budget.aliasedNodes < 0)
      throw new YamlFault(
        lineAt(this.chunk, offset),
        `aliases stand for more than ${MAX_ALIASED_NODES} nodes`,
      );
    return built;
  }

  private sequence(): Built {
    const value: unknown[] = [];
    let nodes = 1;
    while (this.events[this.at]!.type !== EVENT_ID.POP) {
      const item = this.node();
      value.push(item.value);
      nodes += item.nodes;
    }
    this.at++;
    return { value, nodes };
  }

  private mapping(): Built {
    const value: Record<string, unknown> = {};
    const seen = new Set<string>();
    const merged: unknown[] = [];
    let nodes = 1;
    while (this.events[this.at]!.type !== EVENT_ID.POP) {
      const { key, offset, isMerge } = this.key();
      const item = this.node();
      nodes += item.nodes + 1;
      if (isMerge) merged.push(...(Array.isArray(item.value) ? item.value : [item.value]));
      else if (seen.has(key)) this.fault(offset, `the key "${key}" stands here twice`);
      else if (item.value !== null && key !== "__proto__") value[key] = item.value;
      seen.add(key);
    }
    this.at++;
    for (const source of merged) merge(value, source, seen);
    return { value, nodes };
  }

  private key(): { key: string; offset: number; isMerge: boolean } {
    const event = this.events[this.at]!;
    if (event.type !== EVENT_ID.SCALAR) {
      const offset = event.type === EVENT_ID.ALIAS ? event.anchorStart : "start" in event ? event.start : 0;
      throw new YamlFault(lineAt(this.chunk, offset), "a key must be text");
    }
    this.at++;
    const key = getScalarValue(this.chunk.text, event);
    this.anchored(event, { value: key, nodes: 1 });
    return { key, offset: event.valueStart, isMerge: key === "<<" && event.style === SCALAR_STYLE.PLAIN };
  }

  private scalar(event: ScalarEvent): unknown {
    const text = getScalarValue(this.chunk.text, event);
    if (event.tagStart >= 0)
      return this.tagged(this.chunk.text.slice(event.tagStart, event.tagEnd), text, event);
    if (event.style !== SCALAR_STYLE.PLAIN || !/^[-+.~\dtTfFnN]|^$/.test(text)) return text;
    for (const tag of CORE_TAGS) {
      const value = tag.resolve(text, false, tag.tagName);
      if (value !== NOT_RESOLVED) return value;
    }
    return text;
  }

  private tagged(tag: string, text: string, event: ScalarEvent): unknown {
    const definition = EXPLICIT_TAGS[tag];
    if (definition === undefined || definition === null) return text;
    const value = definition.resolve(text, true, definition.tagName);
    if (value !== NOT_RESOLVED) return value;
    this.fault(event.valueStart, `"${text}" is no ${tag}`);
    return text;
  }

  private fault(offset: number, message: string): void {
    this.faults.push(documentFault(this.chunk.file, lineAt(this.chunk, offset), message));
  }
}

/** YAML 1.1's merge key, which kubectl honours too: keys that are there win. */
function merge(value: Record<string, unknown>, source: unknown, seen: Set<string>): void {
  if (typeof source !== "object" || source === null) return;
  for (const [key, item] of Object.entries(source)) {
    if (seen.has(key)) continue;
    seen.add(key);
    value[key] = item;
  }
}
