/** One call of a kubectl subcommand, its flags read. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import type { Changes } from "../../cluster/controllers/cluster-state.ts";
import type { ObjectStore } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Io } from "../session/io.ts";
import type { Session } from "../session/session.ts";

export type Options = NonNullable<ParseArgsConfig["options"]>;

/** See the file's head. */
export interface Call {
  readonly session: Session;
  readonly io: Io;
  readonly words: readonly string[];
  /** What stands after `--`. */
  readonly rest: readonly string[];
  readonly namespace: string;
  readonly allNamespaces: boolean;
  /** The text of a flag, or undefined. */
  text(flag: string): string | undefined;
  /** Is a flag set that takes no value? */
  has(flag: string): boolean;
  /** Every text of a flag that may be repeated. */
  all(flag: string): readonly string[];
  /** A flag's number; throws CommandError when it is none. */
  number(flag: string): number | undefined;
  readonly store: ObjectStore;
  readonly now: number;
  write(changes: Partial<Changes>): void;
  say(line: string): void;
}

/** Flags of every subcommand. */
const COMMON: Options = {
  namespace: { type: "string", short: "n" },
  "all-namespaces": { type: "boolean" },
  record: { type: "boolean" },
  validate: { type: "string" },
};

/** One subcommand of kubectl. */
export interface Subcommand {
  readonly name: string;
  readonly options: Options;
  run(call: Call): number | undefined | Promise<number | undefined>;
}

/** Reads a subcommand's words; throws CommandError for a flag that it does not have. */
export function readCall(session: Session, { options }: Subcommand, args: readonly string[], io: Io): Call {
  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  const { values, positionals } = parse(own.map(withValue(options)), { ...COMMON, ...options });
  const text = (flag: string) => {
    const value = values[flag];
    return typeof value === "string" ? value.replace(/^=/, "") : undefined;
  };
  return {
    session,
    io,
    words: positionals,
    rest: dashes < 0 ? [] : args.slice(dashes + 1),
    namespace: text("namespace") ?? session.namespace,
    allNamespaces: values["all-namespaces"] === true,
    text,
    has: (flag) => values[flag] === true,
    all: (flag) => {
      const value = values[flag];
      return Array.isArray(value) ? value.map((one) => String(one).replace(/^=/, "")) : [];
    },
    number: (flag) => numberOf(flag, text(flag)),
    get store() {
      return session.plane.store;
    },
    get now() {
      return session.plane.now;
    },
    write: (changes) => session.plane.write({ put: [], remove: [], events: [], ...changes }),
    say: (line) => io.out(`${line}\n`),
  };
}

/** `--watch=true` of a flag that takes no value. */
const withValue =
  (options: Options) =>
  (arg: string): string => {
    const match = /^--([a-z-]+)=(true|false)$/.exec(arg);
    const name = match?.[1] ?? "";
    return { ...COMMON, ...options }[name]?.type === "boolean"
      ? match?.[2] === "true"
        ? `--${name}`
        : ""
      : arg;
  };

function parse(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: args.filter((arg) => arg !== ""), options, allowPositionals: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const flag = /'(-[^' ,]*)/.exec(message)?.[1] ?? "";
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw new CommandError(`Error: unknown flag: ${flag}`);
    throw new CommandError(`Error: flag needs an argument: ${flag}`);
  }
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value)) return value;
  throw new CommandError(
    `Error: invalid argument "${text}" for --${flag}=${text}: strconv.ParseInt: parsing "${text}": invalid syntax`,
  );
}
