import type { MaskedAddress } from "./address-text.ts";
import { UnmodelledError } from "./error.ts";
import type { InterfacePattern } from "./interface-name.ts";
import { type IpHeader, printIpHeader } from "./ip-header.ts";
import { bindMatch, type Match, type ParsedOption, type RuleHead } from "./match/extension.ts";
import type { AnyMatchExtension } from "./match/matches.ts";
import type { Rule } from "./rule-set.ts";
import type { Target } from "./target/target.ts";
import {
  type AnyTargetExtension,
  bindTarget,
  gotoTarget,
  jumpTarget,
  NO_TARGET,
  unknownTarget,
  verdictTarget,
} from "./target/targets.ts";

/** Targets of the kernel that are not modelled: a rule with one is kept, but is no jump to a chain. */
const UNMODELLED_TARGETS = new Set(
  "AUDIT CLASSIFY CLUSTERIP CONNSECMARK ECN HMARK IDLETIMER LED NFQUEUE QUEUE RATEEST SECMARK SET SYNPROXY TEE TPROXY ULOG".split(
    " ",
  ),
);

/** One `-m` or `-j` while its options are being gathered. */
export interface Loaded<E> {
  readonly name: string;
  /** Null when there is no such extension here. */
  readonly extension: E | null;
  readonly options: ParsedOption[];
  /** Where in the line it began and ended, for keeping it as it is. */
  start: number;
  end: number;
}

/** What a rule's arguments said, before the extensions look at their options. */
export interface RuleDraft {
  sources: MaskedAddress[];
  srcNegated: boolean;
  destinations: MaskedAddress[];
  dstNegated: boolean;
  protocolGiven: boolean;
  protocol: number;
  protocolNegated: boolean;
  in: InterfacePattern | null;
  out: InterfacePattern | null;
  fragment: IpHeader["fragment"];
  matches: Loaded<AnyMatchExtension>[];
  target: Loaded<AnyTargetExtension> | null;
  goto: boolean;
  counters: readonly [number, number] | null;
}

export interface ParsedRule {
  /** More than one when a list of addresses was given. */
  readonly rules: readonly Rule[];
  /** `-c PACKETS BYTES`. */
  readonly counters: readonly [number, number] | null;
}

/** Lets the extensions read their options, and makes the rules. `line` is the text that the arguments were cut from. */
export function finishRule(d: RuleDraft, line: string, table: string): ParsedRule {
  const head: RuleHead = { protocol: d.protocol, protocolNegated: d.protocolNegated };
  const unknown: string[] = [];
  const matches = d.matches.map((m) => finishMatch(m, head, line, unknown));
  const target = finishTarget(d, head, line, table, unknown);
  const anywhere: MaskedAddress = { address: 0, mask: 0 };
  const rules: Rule[] = [];
  for (const src of d.sources.length === 0 ? [anywhere] : d.sources) {
    for (const dst of d.destinations.length === 0 ? [anywhere] : d.destinations) {
      const ip: IpHeader = {
        src: src.address,
        srcMask: src.mask,
        srcNegated: d.srcNegated,
        dst: dst.address,
        dstMask: dst.mask,
        dstNegated: d.dstNegated,
        in: d.in,
        out: d.out,
        protocol: d.protocol,
        protocolNegated: d.protocolNegated,
        fragment: d.fragment,
      };
      rules.push(makeRule(ip, matches, target, unknown));
    }
  }
  return { rules, counters: d.counters };
}

function makeRule(ip: IpHeader, matches: readonly Match[], target: Target, unknown: readonly string[]): Rule {
  const conditions = matches.filter((m) => m.name !== "comment");
  const text = printIpHeader(ip) + matches.map((m) => ` ${m.text}`).join("") + target.text;
  return {
    ip,
    matches,
    conditions,
    stateful: conditions.some((m) => m.newState !== null),
    target,
    text: text.slice(1),
    unknown: unknown.length === 0 ? null : unknown.join("; "),
  };
}

function rawText(l: Loaded<unknown>, line: string): string {
  return line.slice(l.start, l.end).trim();
}

function finishMatch(l: Loaded<AnyMatchExtension>, head: RuleHead, line: string, unknown: string[]): Match {
  let reason = `unknown match "${l.name}"`;
  if (l.extension !== null) {
    try {
      return bindMatch(l.extension, l.options, head);
    } catch (error) {
      if (!(error instanceof UnmodelledError)) throw error;
      reason = error.message;
    }
  }
  unknown.push(reason);
  const raw = rawText(l, line);
  return {
    name: l.name,
    data: null,
    evaluate: () => false,
    newState: null,
    pure: false,
    text: `-m ${l.name}${raw === "" ? "" : ` ${raw}`}`,
  };
}

function finishTarget(d: RuleDraft, head: RuleHead, line: string, table: string, unknown: string[]): Target {
  const l = d.target;
  if (l === null) return NO_TARGET;
  if (d.goto) return gotoTarget(l.name);
  const verdict = verdictTarget(l.name);
  if (verdict !== null) return verdict;
  let reason = `unknown target "${l.name}"`;
  if (l.extension !== null) {
    try {
      return bindTarget(l.extension, l.options, head, table);
    } catch (error) {
      if (!(error instanceof UnmodelledError)) throw error;
      reason = error.message;
    }
  } else if (l.options.length === 0 && !UNMODELLED_TARGETS.has(l.name)) return jumpTarget(l.name);
  unknown.push(reason);
  return unknownTarget(l.name, rawText(l, line));
}
