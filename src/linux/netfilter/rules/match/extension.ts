import type { Skb } from "../../../skb.ts";
import type { RuleContext } from "../context.ts";
import { OptionError } from "../error.ts";

/** One option as it was typed: `! --dport 80` is `{name: "dport", negated: true, values: ["80"]}`. */
export interface ParsedOption {
  readonly name: string;
  readonly negated: boolean;
  readonly values: readonly string[];
}

/** What an extension's parser may know of the rule's head. */
export interface RuleHead {
  readonly protocol: number;
  readonly protocolNegated: boolean;
}

/**
 * One `-m NAME`: how its options are read and printed, and what it says of a packet. `M` is what the options mean,
 * `S` what one rule of one namespace remembers for it from packet to packet.
 */
export interface MatchExtension<M, S = null> {
  readonly name: string;
  /** Options without the leading `--`, with the number of values that each takes. */
  readonly options: Readonly<Record<string, number>>;
  /** Throws {@link OptionError} on a value that iptables would refuse. */
  parse(options: readonly ParsedOption[], head: RuleHead): M;
  /** The options in iptables-save's form, each with a blank before it. */
  print(match: M): string;
  evaluate(match: M, skb: Skb, context: RuleContext, state: S): boolean;
  /** State of a new rule; null when the match remembers nothing. */
  readonly newState: ((match: M, context: RuleContext) => S) | null;
  /** Does this one of them remember something? Left out: all do, where there is a `newState`. */
  readonly remembers?: (match: M) => boolean;
  /** False when looking at a packet changes something or asks for a random number. */
  readonly pure: boolean;
}

/** A match with its functions beside it: all have one shape, so that calling them is fast whatever they are. */
export interface Match {
  readonly name: string;
  readonly data: unknown;
  readonly evaluate: (data: unknown, skb: Skb, context: RuleContext, state: unknown) => boolean;
  readonly newState: ((data: unknown, context: RuleContext) => unknown) | null;
  readonly pure: boolean;
  /** `-m NAME …` as iptables-save prints it. */
  readonly text: string;
}

/** Reads the options and ties what they mean to the extension's functions. */
export function bindMatch<M, S>(
  extension: MatchExtension<M, S>,
  options: readonly ParsedOption[],
  head: RuleHead,
): Match {
  const data = extension.parse(options, head);
  const remembers = extension.remembers === undefined || extension.remembers(data);
  return {
    name: extension.name,
    data,
    evaluate: extension.evaluate as Match["evaluate"],
    newState: remembers ? (extension.newState as Match["newState"]) : null,
    pure: extension.pure,
    text: `-m ${extension.name}${extension.print(data)}`,
  };
}

/** The last of the options with this name; iptables refuses most repetitions, so there is one. */
export function option(options: readonly ParsedOption[], name: string): ParsedOption | null {
  let found: ParsedOption | null = null;
  for (const o of options) {
    if (o.name !== name) continue;
    if (found !== null) throw new OptionError(`option "--${name}" can only be used once`);
    found = o;
  }
  return found;
}

/** The value of an option that has to be there. */
export function required(options: readonly ParsedOption[], name: string, extension: string): ParsedOption {
  const o = option(options, name);
  if (o === null) throw new OptionError(`${extension}: option "--${name}" must be specified`);
  return o;
}

/** `!` where an option was negated. */
export const not = (negated: boolean): string => (negated ? " !" : "");
