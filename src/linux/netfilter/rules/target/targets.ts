import { quoteArgument } from "../arguments.ts";
import { refuse } from "../error.ts";
import type { ParsedOption, RuleHead } from "../match/extension.ts";
import {
  TARGET_CONTINUE,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_RETURN,
  type TargetCode,
  WALK_ACCEPT,
  WALK_DROP,
  WALK_NAT,
  WALK_REJECT,
} from "../verdict.ts";
import { ct, notrack } from "./ct.ts";
import { checksum, dscp, tcpmss, tos, trace, ttl } from "./header.ts";
import { log, nflog } from "./log.ts";
import { connmark, mark } from "./mark.ts";
import { dnat, masquerade, redirect, snat } from "./nat.ts";
import { netmap } from "./netmap.ts";
import { reject } from "./reject.ts";
import type { Target, TargetExtension } from "./target.ts";

export type AnyTargetExtension = TargetExtension<unknown>;

const ALL: readonly unknown[] = [
  checksum,
  connmark,
  ct,
  dnat,
  dscp,
  log,
  mark,
  masquerade,
  netmap,
  nflog,
  notrack,
  redirect,
  reject,
  snat,
  tcpmss,
  tos,
  trace,
  ttl,
];

/** Every target beside the verdicts, under its name in `-j NAME`. */
export const TARGETS: ReadonlyMap<string, AnyTargetExtension> = new Map(
  (ALL as readonly AnyTargetExtension[]).map((extension) => [extension.name, extension]),
);

const VERDICTS: Readonly<Record<string, TargetCode>> = {
  ACCEPT: WALK_ACCEPT,
  DROP: WALK_DROP,
  RETURN: TARGET_RETURN,
};

function plain(name: string, code: TargetCode, text: string, verdictText: string): Target {
  return { name, code, data: null, execute: null, text, verdictText };
}

/** A rule without `-j`: it counts and the walk goes on. */
export const NO_TARGET: Target = plain("", TARGET_CONTINUE, "", "continue");

export const verdictTarget = (name: string): Target | null =>
  Object.hasOwn(VERDICTS, name) ? plain(name, VERDICTS[name]!, ` -j ${name}`, name.toLowerCase()) : null;

export const jumpTarget = (chain: string): Target =>
  plain(chain, TARGET_JUMP, ` -j ${quoteChain(chain)}`, `jump ${chain}`);

export const gotoTarget = (chain: string): Target =>
  plain(chain, TARGET_GOTO, ` -g ${quoteChain(chain)}`, `goto ${chain}`);

const quoteChain = (chain: string): string => (/[\s"]/.test(chain) ? quoteArgument(chain) : chain);

/** A target that nobody here can carry out, its text kept as it was written. */
export const unknownTarget = (name: string, text: string): Target =>
  plain(name, TARGET_CONTINUE, ` -j ${name}${text === "" ? "" : ` ${text}`}`, "continue");

/** Reads the options and ties what they mean to the extension's function. Refuses a table in which the kernel would. */
export function bindTarget<T>(
  extension: TargetExtension<T>,
  options: readonly ParsedOption[],
  head: RuleHead,
  table: string,
): Target {
  if (extension.tables !== null && !extension.tables.some((name) => name === table)) {
    refuse(`${extension.name}: only valid in the ${extension.tables.join(", ")} table, not ${table}`);
  }
  const negated = options.find((o) => o.negated);
  if (negated !== undefined) refuse(`${extension.name}: option "--${negated.name}" cannot be inverted`);
  const data = extension.parse(options, head);
  return {
    name: extension.name,
    code: extension.code,
    data,
    execute: extension.execute as Target["execute"],
    text: ` -j ${extension.name}${extension.print(data)}`,
    verdictText:
      extension.code === WALK_NAT ? "accept" : extension.code === WALK_REJECT ? "drop" : "continue",
  };
}
