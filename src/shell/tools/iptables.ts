import { quoteArgument } from "../../linux/netfilter/rules/arguments.ts";
import { RuleSetError } from "../../linux/netfilter/rules/error.ts";
import { BUILT_IN_CHAINS } from "../../linux/netfilter/rules/rule-set.ts";
import { type Command, CommandError } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { listRules } from "./rule-list.ts";

const CHANGES = new Set([
  "-A",
  "-I",
  "-D",
  "-P",
  "-F",
  "-N",
  "-X",
  "-Z",
  "-R",
  "--append",
  "--insert",
  "--delete",
  "--policy",
  "--flush",
  "--new-chain",
  "--delete-chain",
  "--zero",
  "--replace",
]);
const LIST_LETTERS = /^-[nvxLS]+$/;

/** `iptables [-t TABLE] -nvL [CHAIN]`, `-S [CHAIN]`, and whatever changes rules as iptables-restore would. */
export const iptables: Command = {
  name: "iptables",
  summary: "a node's rules and their counters",
  run(session, args, io) {
    const { table, rest } = takeTable(args);
    if (BUILT_IN_CHAINS[table] === undefined)
      throw new CommandError(
        `iptables v1.4.21: can't initialize iptables table \`${table}': Table does not exist`,
        3,
      );
    if (rest.some((word) => CHANGES.has(word))) return change(session, table, rest);
    const letters = rest.filter((word) => LIST_LETTERS.test(word)).join("");
    const chain = rest.find((word) => !word.startsWith("-")) ?? null;
    const long = (word: string) => rest.includes(word);
    if (letters.includes("S") || long("--list-rules")) {
      io.out(savedLines(session, table, chain));
      return 0;
    }
    if (!letters.includes("L") && !long("--list"))
      throw new CommandError(
        "iptables v1.4.21: no command specified\nTry `iptables -h' or 'iptables --help' for more information.",
        2,
      );
    const text = listRules(session.place.netns, table, chain, {
      numeric: letters.includes("n") || long("--numeric"),
      verbose: letters.includes("v") || long("--verbose"),
      exact: letters.includes("x") || long("--exact"),
      numbers: long("--line-numbers"),
    });
    if (text === null) throw new CommandError("iptables: No chain/target/match by that name.");
    io.out(text);
    return 0;
  },
  complete: (session) => [
    ...["-nvL", "-t", "nat", "filter", "mangle", "-S", "--line-numbers"],
    ...session.place.netns.netfilter.ruleSet.tables.flatMap(({ chains }) => [...chains.keys()]),
  ],
};

function takeTable(args: readonly string[]): { table: string; rest: string[] } {
  const at = args.findIndex((word) => word === "-t" || word === "--table");
  if (at < 0) return { table: "filter", rest: [...args] };
  return { table: args[at + 1] ?? "", rest: [...args.slice(0, at), ...args.slice(at + 2)] };
}

/** One change, read as a line of an iptables-restore file. */
function change(session: Session, table: string, words: readonly string[]): number {
  const line = words.map(quoteArgument).join(" ");
  try {
    session.place.netns.netfilter.load(`*${table}\n${line}\nCOMMIT\n`, { noflush: true });
    return 0;
  } catch (error) {
    if (!(error instanceof RuleSetError)) throw error;
    throw new CommandError(`iptables v1.4.21: ${error.message}`, 2);
  }
}

/** `-S`: policies and new chains, then the rules, as iptables-save has them. */
function savedLines(session: Session, table: string, chain: string | null): string {
  const saved = session.place.netns.netfilter.save().split("\n");
  const begin = saved.indexOf(`*${table}`);
  const lines = begin < 0 ? [] : saved.slice(begin + 1, saved.indexOf("COMMIT", begin));
  const own = lines.map((line) =>
    line.replace(/^:(\S+) - .*/, "-N $1").replace(/^:(\S+) (\S+) .*/, "-P $1 $2"),
  );
  return own
    .filter((line) => chain === null || line.split(" ")[1] === chain)
    .map((line) => `${line}\n`)
    .join("");
}

/** `iptables-save [-c] [-t TABLE]` */
export const iptablesSave: Command = {
  name: "iptables-save",
  summary: "a node's rules in iptables-restore's form",
  run(session, args, io) {
    const { table, rest } = takeTable(args);
    const text = session.place.netns.netfilter.save({ counters: rest.includes("-c") });
    const wanted = args.includes("-t")
      ? (text.match(new RegExp(`^\\*${table}\\n[^]*?^COMMIT\\n`, "m"))?.[0] ?? "")
      : text;
    io.out(wanted);
    return 0;
  },
};
