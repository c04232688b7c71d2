import { type MaskedAddress, parseMasked } from "./address-text.ts";
import type { Argument } from "./arguments.ts";
import { refuse } from "./error.ts";
import { parseInterface } from "./interface-name.ts";
import { type AnyMatchExtension, MATCHES } from "./match/matches.ts";
import { parseProtocol, printProtocol } from "./protocol.ts";
import { finishRule, type Loaded, type ParsedRule, type RuleDraft } from "./rule-draft.ts";
import { type AnyTargetExtension, TARGETS, verdictTarget } from "./target/targets.ts";

/** Options of the rule itself, with the number of values that each takes, under one name. */
const BASE: Readonly<Record<string, readonly [string, number]>> = {
  "-s": ["s", 1],
  "--source": ["s", 1],
  "--src": ["s", 1],
  "-d": ["d", 1],
  "--destination": ["d", 1],
  "--dst": ["d", 1],
  "-p": ["p", 1],
  "--protocol": ["p", 1],
  "--proto": ["p", 1],
  "-i": ["i", 1],
  "--in-interface": ["i", 1],
  "-o": ["o", 1],
  "--out-interface": ["o", 1],
  "-f": ["f", 0],
  "--fragment": ["f", 0],
  "-m": ["m", 1],
  "--match": ["m", 1],
  "-j": ["j", 1],
  "--jump": ["j", 1],
  "-g": ["g", 1],
  "--goto": ["g", 1],
  "-c": ["c", 2],
  "--set-counters": ["c", 2],
  "-4": ["4", 0],
  "--ipv4": ["4", 0],
};

/**
 * Reads what stands after `-A CHAIN`. `line` is the text that the arguments were cut from. Throws
 * {@link import("./error.ts").OptionError} for what iptables would refuse; an extension that is not known here is
 * kept as it is written.
 */
export function parseRule(written: readonly Argument[], line: string, table: string): ParsedRule {
  const args = written.flatMap(splitAtEquals);
  const draft: RuleDraft = {
    sources: [],
    srcNegated: false,
    destinations: [],
    dstNegated: false,
    protocolGiven: false,
    protocol: 0,
    protocolNegated: false,
    in: null,
    out: null,
    fragment: null,
    matches: [],
    target: null,
    goto: false,
    counters: null,
  };
  let i = 0;
  while (i < args.length) {
    const negated = isBang(args[i]!);
    const flag = args[negated ? i + 1 : i];
    if (flag === undefined) return refuse('nothing after "!"');
    const base = flag.quoted ? undefined : baseOption(flag.text);
    if (base !== undefined) {
      const [name, count] = base;
      const values = valuesOf(args, i + (negated ? 2 : 1), count, flag.text);
      baseArgument(draft, name, negated, values, flag);
      i += (negated ? 2 : 1) + count;
    } else i = extensionArgument(draft, args, i, negated);
  }
  return finishRule(draft, line, table);
}

/** `--option=VALUE` is `--option VALUE`. */
function splitAtEquals(a: Argument): Argument[] {
  const m = a.quoted ? null : /^(--[a-z0-9-]+)=(.*)$/.exec(a.text);
  if (m === null) return [a];
  const middle = a.start + m[1]!.length;
  return [
    { text: m[1]!, quoted: false, start: a.start, end: middle },
    { text: m[2]!, quoted: true, start: middle + 1, end: a.end },
  ];
}

const isBang = (a: Argument): boolean => a.text === "!" && !a.quoted;

const baseOption = (text: string): readonly [string, number] | undefined =>
  Object.hasOwn(BASE, text) ? BASE[text] : undefined;

function valuesOf(args: readonly Argument[], at: number, count: number, flag: string): Argument[] {
  const values = args.slice(at, at + count);
  if (values.length < count) refuse(`option "${flag}" requires an argument`);
  return values;
}

function baseArgument(
  d: RuleDraft,
  name: string,
  negated: boolean,
  values: Argument[],
  flag: Argument,
): void {
  const value = values[0]?.text ?? "";
  switch (name) {
    case "s":
      if (d.sources.length > 0) refuse('multiple "-s" flags not allowed');
      d.sources = addressList(value, negated, "source");
      d.srcNegated = negated;
      return;
    case "d":
      if (d.destinations.length > 0) refuse('multiple "-d" flags not allowed');
      d.destinations = addressList(value, negated, "destination");
      d.dstNegated = negated;
      return;
    case "p":
      if (d.protocolGiven) refuse('multiple "-p" flags not allowed');
      d.protocolGiven = true;
      d.protocol = parseProtocol(value);
      d.protocolNegated = negated;
      if (d.protocol === 0 && negated) refuse("rule would never match protocol");
      return;
    case "i":
      d.in = value === "+" && !negated ? null : parseInterface(value, negated);
      return;
    case "o":
      d.out = value === "+" && !negated ? null : parseInterface(value, negated);
      return;
    case "f":
      d.fragment = negated ? "not" : "only";
      return;
  }
  if (negated) refuse(`unexpected "!" before "${flag.text}"`);
  if (name === "m") {
    d.matches.push(loaded(value, MATCHES.get(value) ?? null, values[0]!));
  } else if (name === "j" || name === "g") {
    if (d.target !== null) refuse('only one of "-j" and "-g" may be given, once');
    d.target = loaded(value, name === "j" ? (TARGETS.get(value) ?? null) : null, values[0]!);
    d.goto = name === "g";
  } else if (name === "c") {
    d.counters = [Number(values[0]!.text), Number(values[1]!.text)];
    if (!d.counters.every((n) => Number.isSafeInteger(n) && n >= 0))
      refuse("-c: packets and bytes are not numbers");
  }
}

const loaded = <E>(name: string, extension: E | null, at: Argument): Loaded<E> => ({
  name,
  extension,
  options: [],
  start: at.end,
  end: at.end,
});

function addressList(text: string, negated: boolean, what: string): MaskedAddress[] {
  const parts = text.split(",");
  if (parts.length > 1 && negated) refuse("! not allowed with multiple source or destination IP addresses");
  return parts.map((part) => parseMasked(part, what));
}

/** One argument that belongs to an extension; gives the index after it. */
function extensionArgument(d: RuleDraft, args: readonly Argument[], at: number, negated: boolean): number {
  const flag = args[at + (negated ? 1 : 0)]!;
  if (!flag.text.startsWith("--") || flag.quoted) return strayArgument(d, args, at);
  const owned = ownerOf(d, flag.text.slice(2), flag);
  if (owned === null) return strayArgument(d, args, at);
  const { owner, name } = owned;
  const count = owner.extension!.options[name]!;
  const first = at + (negated ? 2 : 1);
  const values = valuesOf(args, first, count, flag.text);
  owner.options.push({ name, negated, values: values.map((a) => a.text) });
  owner.end = args[first + count - 1]!.end;
  return first + count;
}

type LoadedExtension = Loaded<AnyMatchExtension | AnyTargetExtension>;

interface Owned {
  readonly owner: LoadedExtension;
  /** The option's whole name. */
  readonly name: string;
}

/**
 * Whose option it is: the target's, else that of the newest match, else of the match that `-p` brings by itself. As
 * getopt_long has it, a whole name goes before the beginning of one.
 */
function ownerOf(d: RuleDraft, text: string, flag: Argument): Owned | null {
  const owners: LoadedExtension[] = [...(d.target === null ? [] : [d.target]), ...d.matches.toReversed()];
  for (const owner of owners) if (hasOption(owner, text)) return { owner, name: text };
  for (const owner of owners) {
    const name = completion(owner, text);
    if (name !== null) return { owner, name };
  }
  const owner = implicitMatch(d, text, flag);
  return owner === null ? null : { owner, name: text };
}

const hasOption = (l: LoadedExtension, name: string): boolean =>
  l.extension !== null && Object.hasOwn(l.extension.options, name);

/** The one option that begins with the text. */
function completion(l: LoadedExtension, text: string): string | null {
  const names = Object.keys(l.extension?.options ?? {}).filter((name) => name.startsWith(text));
  return names.length === 1 ? names[0]! : null;
}

/** `-p tcp --dport 80` brings `-m tcp` by itself. */
function implicitMatch(d: RuleDraft, name: string, flag: Argument): Loaded<AnyMatchExtension> | null {
  if (d.protocol === 0 || d.protocolNegated) return null;
  const extension = MATCHES.get(printProtocol(d.protocol));
  if (extension === undefined || !Object.hasOwn(extension.options, name)) return null;
  const match = loaded(extension.name, extension, flag);
  d.matches.push(match);
  return match;
}

/** An argument of an extension that is not known here: kept until the next option of the rule itself. */
function strayArgument(d: RuleDraft, args: readonly Argument[], at: number): number {
  const unknownTargetLoaded = d.target !== null && d.target.extension === null ? d.target : null;
  const owner = unknownTargetLoaded ?? d.matches.findLast((m) => m.extension === null) ?? null;
  const text = args[at]!.text === "!" ? `! ${args[at + 1]?.text ?? ""}` : args[at]!.text;
  if (owner === null || (owner === d.target && verdictTarget(owner.name) !== null)) {
    return refuse(
      text.startsWith("-") || text.startsWith("!") ? `unknown option "${text}"` : `bad argument "${text}"`,
    );
  }
  owner.end = args[at]!.end;
  owner.options.push({ name: "", negated: false, values: [] });
  return at + 1;
}
