import { commandArguments, readSaveFile, type SaveFile, type SaveLine } from "../iptables-save/read.ts";
import type { Argument } from "./arguments.ts";
import { OptionError, RuleSetError } from "./error.ts";
import { findLoop } from "./loops.ts";
import type { Rule, RuleSet, Table, UnknownExtension } from "./rule-set.ts";
import { RuleStore } from "./rule-store.ts";
import { TableDraft } from "./table-draft.ts";
import { TARGET_GOTO, TARGET_JUMP } from "./verdict.ts";

export interface RestoreOptions {
  /** `--noflush`: only the chains that the text declares are emptied. */
  readonly noflush: boolean;
  /** `--counters`: take packets and bytes from the text. */
  readonly counters?: boolean;
  /** Where equal rules and chains are kept, so that several namespaces share them. */
  readonly store?: RuleStore;
}

/**
 * What iptables-restore makes of a text: a new rule set, the old one untouched. Tables that the text does not name
 * stay as they are; without `noflush` the named ones are emptied first (policies stay until a chain line changes
 * them). Throws {@link RuleSetError} with the line for whatever iptables-restore would refuse. Extensions that are
 * not known here are kept and listed in `unknown`.
 */
export function applyRestore(ruleSet: RuleSet | null, text: string, options: RestoreOptions): RuleSet {
  return applySaveFile(ruleSet, readSaveFile(text), options);
}

/** The same for a file that has been read. */
export function applySaveFile(ruleSet: RuleSet | null, file: SaveFile, options: RestoreOptions): RuleSet {
  const store = options.store ?? new RuleStore();
  const tables = new Map((ruleSet?.tables ?? []).map((table) => [table.name, table]));
  const brought: UnknownExtension[] = [];
  let draft: TableDraft | null = null;
  for (const line of file.lines) {
    if (line.kind === "comment") continue;
    if (line.kind === "table") {
      draft = new TableDraft(line.table, tables.get(line.table) ?? null, !options.noflush);
      continue;
    }
    if (draft === null) throw new RuleSetError(line.number, "no table");
    if (line.kind === "commit") {
      tables.set(draft.name, commit(draft, line.number, store));
      draft = null;
    } else applyLine(draft, line, options, store, brought);
  }
  const kept = (ruleSet?.unknown ?? []).concat(brought).filter((u) => holds(tables.get(u.table), u));
  return { tables: [...tables.values()], unknown: kept };
}

const holds = (table: Table | undefined, u: UnknownExtension): boolean =>
  table?.chains.get(u.chain)?.rules.includes(u.rule) ?? false;

function commit(draft: TableDraft, line: number, store: RuleStore): Table {
  const table = draft.finish(store);
  const loop = findLoop(table, draft.touched());
  if (loop !== null)
    throw new RuleSetError(line, `table "${table.name}": chains run in a loop: ${loop.join(" -> ")}`);
  return table;
}

function applyLine(
  draft: TableDraft,
  line: SaveLine & { readonly kind: "chain" | "command" },
  options: RestoreOptions,
  store: RuleStore,
  brought: UnknownExtension[],
): void {
  try {
    if (line.kind === "chain") {
      draft.declare(line.chain, line.policy, options.counters ? line.counters : null);
    } else applyCommand(draft, line, options, store, brought);
  } catch (error) {
    if (error instanceof OptionError) throw new RuleSetError(line.number, error.message);
    throw error;
  }
}

type CommandLine = SaveLine & { readonly kind: "command" };

const LONG_COMMANDS: Readonly<Record<string, string>> = {
  "--append": "-A",
  "--insert": "-I",
  "--delete": "-D",
  "--replace": "-R",
  "--flush": "-F",
  "--delete-chain": "-X",
  "--new-chain": "-N",
  "--policy": "-P",
  "--rename-chain": "-E",
  "--zero": "-Z",
};

function applyCommand(
  draft: TableDraft,
  line: CommandLine,
  options: RestoreOptions,
  store: RuleStore,
  brought: UnknownExtension[],
): void {
  const args = withoutTable(commandArguments(line), draft.name);
  const word = args[0]?.text ?? "";
  const command = Object.hasOwn(LONG_COMMANDS, word) ? LONG_COMMANDS[word]! : word;
  const chain = args[1]?.text;
  if (chain === undefined && !["-F", "-X", "-Z"].includes(command)) {
    throw new OptionError(`"${word}" needs the name of a chain`);
  }
  const third = args[2]?.text ?? "";
  if (command === "-F") draft.flush(chain ?? null);
  else if (command === "-X") draft.remove(chain ?? null);
  else if (command === "-Z") draft.zero(chain ?? null);
  else if (command === "-N") draft.create(chain!);
  else if (command === "-P") draft.setPolicy(chain!, third);
  else if (command === "-E") draft.rename(chain!, third);
  else if (command === "-D" && /^\d+$/.test(third)) draft.deleteAt(chain!, Number(third));
  else applyRuleCommand(draft, line, command, args, options, store, brought);
}

/** `-A`, `-I`, `-R`, and `-D` with a rule written out. */
function applyRuleCommand(
  draft: TableDraft,
  line: CommandLine,
  command: string,
  args: readonly Argument[],
  options: RestoreOptions,
  store: RuleStore,
  brought: UnknownExtension[],
): void {
  const chain = args[1]!.text;
  const numbered = (command === "-I" || command === "-R") && /^\d+$/.test(args[2]?.text ?? "");
  const position = numbered ? Number(args[2]!.text) : null;
  const parsed = store.parse(args.slice(numbered ? 3 : 2), line.text, draft.name);
  for (const rule of parsed.rules) {
    checkJump(draft, rule);
    checkDevices(chain, rule);
  }
  const counters = options.counters ? (line.counters ?? parsed.counters) : null;
  if (command === "-A") draft.append(chain, parsed.rules, counters);
  else if (command === "-I") draft.insert(chain, position ?? 1, parsed.rules, counters);
  else if (command === "-R") draft.replace(chain, position, parsed.rules, counters);
  else if (command === "-D") draft.deleteEqual(chain, parsed.rules);
  else throw new OptionError(`unknown command "${command}"`);
  if (command === "-D") return;
  for (const rule of parsed.rules) {
    if (rule.unknown === null) continue;
    brought.push({ table: draft.name, chain, rule, line: line.number, detail: rule.unknown });
  }
}

/** `-t TABLE` may stand in front, as long as it says what the `*TABLE` line said. */
function withoutTable(args: Argument[], table: string): Argument[] {
  if (args[0]?.text !== "-t" && args[0]?.text !== "--table") return args;
  if (args[1]?.text !== table) throw new OptionError(`the "-t" option names another table than "*${table}"`);
  return args.slice(2);
}

function checkJump(draft: TableDraft, rule: Rule): void {
  const { code, name } = rule.target;
  if (code !== TARGET_JUMP && code !== TARGET_GOTO) return;
  if (draft.isBuiltIn(name)) throw new OptionError(`cannot jump to the built-in chain "${name}"`);
  if (!draft.has(name)) throw new OptionError(`jump to unknown chain "${name}"`);
}

/** Where no packet has the device yet, or any more, a rule may not name it. */
function checkDevices(chain: string, rule: Rule): void {
  if (rule.ip.in !== null && (chain === "OUTPUT" || chain === "POSTROUTING")) {
    throw new OptionError(`can't use -i with ${chain}`);
  }
  if (rule.ip.out !== null && (chain === "PREROUTING" || chain === "INPUT")) {
    throw new OptionError(`can't use -o with ${chain}`);
  }
}

/** Throws for the first rule that no packet can be judged by; to be asked before packets are. */
export function validateRuleSet(ruleSet: RuleSet): void {
  const first = ruleSet.unknown[0];
  if (first !== undefined) throw new RuleSetError(first.line, first.detail);
}
