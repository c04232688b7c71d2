import type { Argument, Command, Option } from "commander";
import type { ClusterModel } from "../cluster/objects/model.ts";
import { nodeNames, sources, targets } from "./completion-names.ts";

/** One thing that may stand next on a command line. */
export interface Candidate {
  readonly name: string;
  readonly description: string;
}

/** What may stand next; `files`: the shell knows. */
export type Completion = readonly Candidate[] | "files";

/** Loads the topology of these paths; none: the built-in one. Null when it cannot be had. */
export type ModelOf = (paths: readonly string[]) => ClusterModel | null;

/** Options whose argument is a name of the topology. */
const NAMED: Readonly<Record<string, (model: ClusterModel, typed: string) => string[]>> = {
  "--from": sources,
  "--to": targets,
  "--node": nodeNames,
};

/**
 * What may stand next on a command line.
 *
 * @param root the program with all its commands
 * @param before the words before, without the program's name
 * @param typed the beginning of the word in question; empty when none has been typed
 */
export function complete(
  root: Command,
  before: readonly string[],
  typed: string,
  modelOf: ModelOf,
): Completion {
  const scope = commandOf(root, before);
  const names = (option: Option, text: string): Completion => {
    const named = NAMED[option.long ?? ""];
    if (named === undefined) return argumentOf(option);
    const model = modelOf(topologyPaths(before));
    return plain(model === null ? [] : named(model, text));
  };
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = optionOf(scope, flag);
    const found = option === undefined ? [] : names(option, value);
    return found === "files" ? found : filtered(prefixed(found, `${flag}=`), typed);
  }
  const awaiting = optionOf(scope, before.at(-1) ?? "");
  if (awaiting?.required) {
    const found = names(awaiting, typed);
    return found === "files" ? found : filtered(found, typed);
  }
  if (typed.startsWith("-")) return filtered(flagsOf(scope), typed);
  if (scope.commands.length > 0) return filtered(commandsOf(scope), typed);
  const [argument] = scope.registeredArguments;
  return argument === undefined ? [] : ofArgument(argument, typed);
}

/** The command that the words before have come to; the program itself when they name none. */
function commandOf(root: Command, before: readonly string[]): Command {
  let scope = root;
  for (const [i, word] of before.entries()) {
    if (optionOf(scope, before[i - 1] ?? "")?.required) continue;
    scope = scope.commands.find((one) => one.name() === word) ?? scope;
  }
  return scope;
}

/** Paths that `-f` names in the words before. */
function topologyPaths(words: readonly string[]): string[] {
  const paths: string[] = [];
  for (const [i, word] of words.entries()) {
    const next = words[i + 1];
    if ((word === "-f" || word === "--file") && next !== undefined) paths.push(next);
    else if (word.startsWith("--file=")) paths.push(word.slice("--file=".length));
    else if (/^-f./.test(word)) paths.push(word.slice(2));
  }
  return paths;
}

const plain = (names: readonly string[]): Candidate[] => names.map((name) => ({ name, description: "" }));

const filtered = (candidates: readonly Candidate[], typed: string): Candidate[] =>
  candidates.filter(({ name }) => name.startsWith(typed));

const prefixed = (candidates: readonly Candidate[], prefix: string): Candidate[] =>
  candidates.map(({ name, description }) => ({ name: prefix + name, description }));

const optionOf = (command: Command, flag: string): Option | undefined =>
  command.options.find(({ short, long }) => flag !== "" && (flag === short || flag === long));

function argumentOf({ argChoices, flags }: Option): Completion {
  if (argChoices !== undefined) return plain(argChoices);
  return /<(?:path|file|folder|directory)/i.test(flags) ? "files" : [];
}

function flagsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) =>
      long === undefined ? [] : [{ name: long, description: description ?? "" }],
    );
}

function commandsOf(root: Command): Candidate[] {
  return root
    .createHelp()
    .visibleCommands(root)
    .map((command) => ({ name: command.name(), description: command.description() }));
}

const ofArgument = ({ argChoices }: Argument, typed: string): Completion =>
  argChoices === undefined ? "files" : filtered(plain(argChoices), typed);
