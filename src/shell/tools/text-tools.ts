/** Commands on text: cat, grep, head, tail, wc, sort, uniq, tee, echo. */
import { type Command, CommandError } from "../session/command.ts";
import type { Io } from "../session/io.ts";
import type { Session } from "../session/session.ts";
import { readWords } from "./words.ts";

const command = (name: string, summary: string, run: Command["run"]): Command => ({
  name,
  summary,
  run,
  complete: (session) => session.files.list(),
});

/** What the named files hold, or standard input without any; each missing one is said, and null then. */
function inputs(
  tool: string,
  session: Session,
  files: readonly string[],
  io: Io,
): { file: string; text: string }[] | null {
  if (files.length === 0) return [{ file: "-", text: io.stdin }];
  const found: { file: string; text: string }[] = [];
  let isComplete = true;
  for (const file of files) {
    const read = file === "-" ? { text: io.stdin } : session.files.read(file);
    if ("text" in read) found.push({ file, text: read.text });
    else {
      isComplete = false;
      io.err(`${tool}: ${file}: ${read.error}\n`);
    }
  }
  return isComplete || found.length > 0 ? found : null;
}

const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));
const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

const cat = command("cat", "a file's text", (session, args, io) => {
  const all = inputs(
    "cat",
    session,
    args.filter((word) => !/^-[nAe]$/.test(word)),
    io,
  );
  for (const { text } of all ?? []) io.out(text);
  return all === null ? 1 : 0;
});

const grep = command("grep", "the lines that match", (session, args, io) => {
  const words = readWords("grep", args, {
    "ignore-case": { type: "boolean", short: "i" },
    invert: { type: "boolean", short: "v" },
    count: { type: "boolean", short: "c" },
    extended: { type: "boolean", short: "E" },
    fixed: { type: "boolean", short: "F" },
    "line-number": { type: "boolean", short: "n" },
    "only-matching": { type: "boolean", short: "o" },
    quiet: { type: "boolean", short: "q" },
    word: { type: "boolean", short: "w" },
    regexp: { type: "string", short: "e" },
    after: { type: "string", short: "A" },
    before: { type: "string", short: "B" },
  });
  const pattern = words.text("regexp") ?? words.positionals[0];
  if (pattern === undefined) throw new CommandError("Usage: grep [OPTION]... PATTERN [FILE]...", 2);
  const files = words.positionals.slice(words.text("regexp") === undefined ? 1 : 0);
  const test = patternOf(pattern, words);
  const all = inputs("grep", session, files, io);
  const matched: string[] = [];
  for (const { file, text } of all ?? []) {
    const lines = linesOf(text);
    const hits = lines.map((line) => line.search(test) >= 0 !== words.has("invert"));
    const near = (i: number) =>
      hits.some((hit, j) => hit && i >= j - words.number("before", 0) && i <= j + words.number("after", 0));
    for (const [i, line] of lines.entries()) {
      if (!near(i)) continue;
      const prefix = `${files.length > 1 ? `${file}:` : ""}${words.has("line-number") ? `${i + 1}:` : ""}`;
      if (words.has("only-matching"))
        for (const [one] of line.matchAll(new RegExp(test, `${test.flags}g`))) matched.push(prefix + one);
      else matched.push(prefix + line);
    }
  }
  if (words.has("count")) io.out(`${matched.length}\n`);
  else if (!words.has("quiet")) io.out(joined(matched));
  if (all === null) return 2;
  return matched.length > 0 ? 0 : 1;
});

/** Basic expressions have `\|`, `\+`, `\?`, `\(` where extended ones have the bare sign. */
function patternOf(pattern: string, words: { has(flag: string): boolean }): RegExp {
  let source = pattern;
  if (words.has("fixed")) source = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  else if (!words.has("extended"))
    source = pattern.replace(/\\?[|+?(){}]/g, (sign) => (sign.length === 2 ? sign[1]! : `\\${sign}`));
  if (words.has("word")) source = `\\b(?:${source})\\b`;
  try {
    return new RegExp(source, words.has("ignore-case") ? "i" : "");
  } catch {
    throw new CommandError("grep: Invalid regular expression", 2);
  }
}

/** `head -n N`, `head -N`; the same for tail. */
const ends = (name: "head" | "tail"): Command =>
  command(name, `the ${name === "head" ? "first" : "last"} lines`, (session, args, io) => {
    const words = readWords(
      name,
      args.map((word) => word.replace(/^-(\d+)$/, "-n$1")),
      { lines: { type: "string", short: "n" } },
    );
    const count = words.number("lines", 10);
    const all = inputs(name, session, words.positionals, io);
    for (const { text } of all ?? []) {
      const lines = linesOf(text);
      io.out(
        joined(name === "head" ? lines.slice(0, count) : lines.slice(Math.max(0, lines.length - count))),
      );
    }
    return all === null ? 1 : 0;
  });

const wc = command("wc", "lines, words and bytes counted", (session, args, io) => {
  const letters = args.filter((word) => word.startsWith("-")).join("");
  const all = inputs(
    "wc",
    session,
    args.filter((word) => !word.startsWith("-")),
    io,
  );
  for (const { file, text } of all ?? []) {
    const counts = {
      l: text.split("\n").length - 1,
      w: text.split(/\s+/).filter((word) => word !== "").length,
      c: Buffer.byteLength(text),
    };
    const wanted = (["l", "w", "c"] as const).filter((letter) => letters === "" || letters.includes(letter));
    const numbers = wanted.map((letter) =>
      wanted.length > 1 ? String(counts[letter]).padStart(7) : String(counts[letter]),
    );
    io.out(`${numbers.join(" ")}${file === "-" ? "" : ` ${file}`}\n`);
  }
  return all === null ? 1 : 0;
});

const sort = command("sort", "lines in order", (session, args, io) => {
  const flags = args.filter((word) => word.startsWith("-")).join("");
  const all = inputs(
    "sort",
    session,
    args.filter((word) => !word.startsWith("-")),
    io,
  );
  const lines = (all ?? []).flatMap(({ text }) => linesOf(text));
  lines.sort((a, b) =>
    flags.includes("n") ? Number.parseFloat(a) - Number.parseFloat(b) : a < b ? -1 : a > b ? 1 : 0,
  );
  const kept = flags.includes("u") ? [...new Set(lines)] : lines;
  io.out(joined(flags.includes("r") ? kept.reverse() : kept));
  return all === null ? 1 : 0;
});

const uniq = command("uniq", "equal lines once", (session, args, io) => {
  const all = inputs(
    "uniq",
    session,
    args.filter((word) => !word.startsWith("-")),
    io,
  );
  const groups: { line: string; count: number }[] = [];
  for (const line of (all ?? []).flatMap(({ text }) => linesOf(text))) {
    const last = groups.at(-1);
    if (last?.line === line) last.count++;
    else groups.push({ line, count: 1 });
  }
  const counted = args.includes("-c");
  io.out(joined(groups.map(({ line, count }) => (counted ? `${String(count).padStart(7)} ${line}` : line))));
  return all === null ? 1 : 0;
});

const tee = command("tee", "standard input, kept in a file", (session, args, io) => {
  for (const file of args.filter((word) => !word.startsWith("-"))) session.files.write(file, io.stdin);
  io.out(io.stdin);
  return 0;
});

const echo = command("echo", "its words", (_, args, io) => {
  const bare = args[0] === "-n";
  io.out(args.slice(bare ? 1 : 0).join(" ") + (bare ? "" : "\n"));
  return 0;
});

/** All of them. */
export const TEXT_TOOLS: readonly Command[] = [
  cat,
  grep,
  ends("head"),
  ends("tail"),
  wc,
  sort,
  uniq,
  tee,
  echo,
];
