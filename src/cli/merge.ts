import { Command } from "commander";
import { MergeError, mergeReach, type Part } from "../analysis/reach/merge.ts";
import type { Reach } from "../analysis/reach/result.ts";
import { RequestError } from "../trace/request.ts";
import { API_VERSION } from "../trace/trace.ts";
import type { Console } from "./console.ts";
import type { ExitCode } from "./exit-code.ts";
import { addCommonOptions, type CommonOptions } from "./options.ts";
import { conclude, readText } from "./reach.ts";
import { REACH_FORMATS, type ReachOutputOptions } from "./reach-output.ts";

interface MergeOptions extends CommonOptions, ReachOutputOptions {
  readonly expect?: string;
}

const EXAMPLES = `
Examples:
  podpath merge part-0.json part-1.json
  podpath merge part-*.json --expect expected.yaml -o junit > reach.xml`;

/** `podpath merge`: the parts of `podpath reach --shard` as one. Exit code 1 when an expectation does not hold. */
export function mergeCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("merge")
    .description("put the parts that reach --shard wrote together")
    .argument("<part...>", "files, each written with -o json")
    .option("--expect <file>", "hold the whole against allowed and forbidden pairs")
    .option("--failures", "table: only what is not answered always")
    .option("--out <file>", "write there instead of to standard output")
    .option("--color", "colours even if the output is no terminal")
    .option("--no-color", "no colours")
    .addHelpText("after", EXAMPLES);
  return addCommonOptions(command, REACH_FORMATS).action((files: string[], options: MergeOptions) => {
    finish(conclude(merged(files.map(readPart)), options, console));
  });
}

function merged(parts: readonly Part[]): Reach {
  try {
    return mergeReach(parts);
  } catch (error) {
    if (error instanceof MergeError) throw new RequestError(error.message);
    throw error;
  }
}

function readPart(name: string): Part {
  const text = readText(name);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new RequestError(`${name}: it is no JSON document`);
  }
  if (!isReach(document)) throw new RequestError(`${name}: it is nothing that reach -o json wrote`);
  return { name, reach: document };
}

const isReach = (document: unknown): document is Reach =>
  typeof document === "object" &&
  document !== null &&
  "kind" in document &&
  document.kind === "Reach" &&
  "apiVersion" in document &&
  document.apiVersion === API_VERSION &&
  "rows" in document &&
  Array.isArray(document.rows);
