/** Command lines of the node's tools. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { CommandError } from "../session/command.ts";

/** A command line's flags and what stands beside them. */
export interface Words {
  readonly positionals: readonly string[];
  has(flag: string): boolean;
  text(flag: string): string | undefined;
  /** A flag's number, or `otherwise`. Throws CommandError when it is none. */
  number(flag: string, otherwise: number): number;
}

/** Reads a command line; throws CommandError in the tool's name for a flag that it does not have. */
export function readWords(
  tool: string,
  args: readonly string[],
  options: NonNullable<ParseArgsConfig["options"]>,
): Words {
  const { values, positionals } = parse(tool, args, options);
  const text = (flag: string) => {
    const value = values[flag];
    return typeof value === "string" ? value : undefined;
  };
  return {
    positionals,
    text,
    has: (flag) => values[flag] === true,
    number(flag, otherwise) {
      const given = text(flag);
      if (given === undefined) return otherwise;
      const value = Number(given);
      if (Number.isFinite(value) && value >= 0) return value;
      throw new CommandError(`${tool}: ${given} is no number`, 2);
    },
  };
}

function parse(tool: string, args: readonly string[], options: NonNullable<ParseArgsConfig["options"]>) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const flag = /'(-[^' ,]*)/.exec((error as Error).message)?.[1] ?? "";
    const isUnknown = (error as NodeJS.ErrnoException).code === "ERR_PARSE_ARGS_UNKNOWN_OPTION";
    throw new CommandError(
      isUnknown ? `${tool}: unknown option ${flag}` : `${tool}: option ${flag} needs an argument`,
      2,
    );
  }
}
