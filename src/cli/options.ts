import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_LOG_LEVEL, LOG_LEVELS, type LogLevel } from "./log.ts";

/** Options of every command. */
export interface CommonOptions {
  /** Paths of topology files; left out for the built-in topology. */
  readonly file?: readonly string[];
  readonly seed: number;
  readonly output: string;
  readonly logLevel: LogLevel;
}

const MAX_SEED = 2 ** 32 - 1;

/** Adds the options that every command has. `formats` are those of `-o`, the first being the default. */
export function addCommonOptions(command: Command, formats: readonly [string, ...string[]]): Command {
  return command
    .option(
      "-f, --file <path>",
      "topology: a file, a folder, or - for standard input; may be repeated (default: the built-in two-workers)",
      (path: string, paths: readonly string[] = []) => [...paths, path],
    )
    .option("--seed <number>", "seed of everything random", wholeNumber(0, MAX_SEED), 1)
    .addOption(
      new Option("-o, --output <format>", "format of the output").choices(formats).default(formats[0]),
    )
    .addOption(
      new Option("--log-level <level>", "what is logged on standard error")
        .choices(LOG_LEVELS)
        .default(DEFAULT_LOG_LEVEL),
    );
}

const MOST_WORKERS = 1024;

/** How many threads long work is spread over. */
export const workersOption = (): Option =>
  new Option(
    "--workers <number>",
    "threads; 1: in this process (default: as many as cores, 1 for what is done in a moment)",
  ).argParser(wholeNumber(1, MOST_WORKERS));

/** Reads an option's argument as a whole number between two bounds, both included. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It is no whole number from ${least} to ${most}.`);
    return value;
  };

/**
 * What a command cannot do without. Asked for here, because commander would complain of a missing option before a
 * mistyped one.
 */
export function need(command: Command, ...names: readonly string[]): void {
  for (const name of names)
    if (command.getOptionValue(name) === undefined)
      command.error(`error: required option '--${name}' not specified`);
}
