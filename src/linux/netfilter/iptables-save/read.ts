import { type Argument, splitArguments } from "../rules/arguments.ts";
import { RuleSetError } from "../rules/error.ts";

/** One line of an iptables-save file; `number` counts from 1. `text` is the line without its end. */
export type SaveLine =
  | { readonly kind: "comment"; readonly number: number; readonly text: string }
  | { readonly kind: "table"; readonly number: number; readonly text: string; readonly table: string }
  | {
      readonly kind: "chain";
      readonly number: number;
      readonly text: string;
      readonly chain: string;
      readonly policy: "ACCEPT" | "DROP" | null;
      readonly counters: readonly [number, number] | null;
    }
  | {
      readonly kind: "command";
      readonly number: number;
      readonly text: string;
      readonly counters: readonly [number, number] | null;
      /** Where in `text` the command begins, behind the counters. */
      readonly start: number;
    }
  | { readonly kind: "commit"; readonly number: number; readonly text: string };

/** A file, line by line: nothing of it is lost, so that writing it gives the same bytes. */
export interface SaveFile {
  readonly lines: readonly SaveLine[];
  /** Does the last line end in a newline? */
  readonly terminated: boolean;
}

/**
 * Cuts the text of iptables-save, or what somebody typed for iptables-restore, into lines and says what each is.
 * The rules' arguments are not looked at. Throws {@link RuleSetError} for a line that is none of them, or that stands
 * outside a table.
 */
export function readSaveFile(text: string): SaveFile {
  if (text === "") return { lines: [], terminated: false };
  const texts = text.split("\n");
  const terminated = texts.at(-1) === "";
  if (terminated) texts.pop();
  const lines: SaveLine[] = [];
  let table: string | null = null;
  texts.forEach((line, i) => {
    const read = readLine(line, i + 1);
    if (read.kind === "table") {
      if (table !== null)
        throw new RuleSetError(i + 1, `table "${read.table}" begins before the COMMIT of "${table}"`);
      table = read.table;
    } else if (read.kind === "commit") {
      if (table === null) throw new RuleSetError(i + 1, "COMMIT without a table");
      table = null;
    } else if (read.kind !== "comment" && table === null) {
      throw new RuleSetError(i + 1, `"${abbreviate(line)}" stands outside a table`);
    }
    lines.push(read);
  });
  if (table !== null) throw new RuleSetError(texts.length, `table "${table}" has no COMMIT`);
  return { lines, terminated };
}

function readLine(text: string, number: number): SaveLine {
  const line = text.endsWith("\r") ? text.slice(0, -1) : text;
  if (line === "" || line.startsWith("#") || /^\s+$/.test(line)) return { kind: "comment", number, text };
  if (line.startsWith("*")) return tableLine(line, text, number);
  if (line.startsWith(":")) return chainLine(line, text, number);
  if (/^COMMIT\s*$/.test(line)) return { kind: "commit", number, text };
  const counters = /^\[(\d+):(\d+)\]\s*/.exec(line);
  const start = counters === null ? 0 : counters[0].length;
  if (line[start] !== "-")
    throw new RuleSetError(number, `"${abbreviate(line)}" is no line of iptables-save`);
  const counts = counters === null ? null : ([Number(counters[1]), Number(counters[2])] as const);
  return { kind: "command", number, text, counters: counts, start };
}

function tableLine(line: string, text: string, number: number): SaveLine {
  const table = line.slice(1).trim();
  if (!/^(raw|mangle|nat|filter|security)$/.test(table)) {
    throw new RuleSetError(number, `unknown table "${abbreviate(table)}"`);
  }
  return { kind: "table", number, text, table };
}

function chainLine(line: string, text: string, number: number): SaveLine {
  const m = /^:(\S+)\s+(\S+)(?:\s+\[(\d+):(\d+)\])?\s*$/.exec(line);
  if (m === null) throw new RuleSetError(number, `malformed chain line "${abbreviate(line)}"`);
  const [, chain, policy, packets, bytes] = m;
  if (chain!.length > 28)
    throw new RuleSetError(number, `chain name "${abbreviate(chain!)}" must be under 29 characters`);
  if (policy !== "-" && policy !== "ACCEPT" && policy !== "DROP") {
    throw new RuleSetError(number, `bad policy "${abbreviate(policy!)}" of chain "${chain}"`);
  }
  const counters = packets === undefined ? null : ([Number(packets), Number(bytes)] as const);
  return { kind: "chain", number, text, chain: chain!, policy: policy === "-" ? null : policy, counters };
}

const abbreviate = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** The arguments of a command line, places counted in the line's text. */
export function commandArguments(line: SaveLine & { readonly kind: "command" }): Argument[] {
  if (line.start === 0) return splitArguments(line.text);
  return splitArguments(" ".repeat(line.start) + line.text.slice(line.start));
}
