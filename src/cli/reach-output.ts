import { renameSync, writeFileSync } from "node:fs";
import { reachCsv } from "../analysis/reach/csv.ts";
import type { Judgement } from "../analysis/reach/expectation.ts";
import { reachJunit } from "../analysis/reach/junit.ts";
import type { Reach } from "../analysis/reach/result.ts";
import { reachTable } from "../analysis/reach/table.ts";
import { RequestError } from "../trace/request.ts";
import type { Console } from "./console.ts";

export const REACH_FORMATS = ["table", "json", "csv", "junit"] as const;

export interface ReachOutputOptions {
  readonly output: string;
  readonly out?: string;
  readonly failures?: boolean;
  readonly color?: boolean;
}

/** Prints a reach, or writes it to a file: to one beside it first, so that a file that is there is whole. */
export function writeReach(
  reach: Reach,
  judgements: readonly Judgement[] | null,
  options: ReachOutputOptions,
  console: Console,
): void {
  const text = textOf(reach, judgements, options, console);
  if (options.out === undefined) {
    console.out(text);
    return;
  }
  const partial = `${options.out}.partial`;
  try {
    writeFileSync(partial, text);
    renameSync(partial, options.out);
  } catch (error) {
    throw new RequestError(`--out ${options.out}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function textOf(
  reach: Reach,
  judgements: readonly Judgement[] | null,
  { output, failures = false, color, out }: ReachOutputOptions,
  console: Console,
): string {
  switch (output) {
    case "json":
      return `${JSON.stringify(reach, null, 1)}\n`;
    case "csv":
      return reachCsv(reach);
    case "junit":
      return reachJunit(reach, judgements);
    default:
      return reachTable(reach, {
        failures,
        color: color ?? (out === undefined && console.outIsTerminal && !console.noColor),
      });
  }
}
