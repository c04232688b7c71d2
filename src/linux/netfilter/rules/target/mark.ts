import type { Skb } from "../../../skb.ts";
import type { RuleContext } from "../context.ts";
import { refuse } from "../error.ts";
import { option, type ParsedOption } from "../match/extension.ts";
import { hex, parseMarkMask, parseNumber } from "../number-text.ts";
import { TARGET_CONTINUE, TARGET_EXECUTE, type TargetOutcome } from "../verdict.ts";
import type { TargetExtension } from "./target.ts";

/** `mark = (mark & ~mask) ^ value`, to which every spelling comes down. */
export interface XmarkTarget {
  readonly value: number;
  readonly mask: number;
}

/** `--set-xmark`, `--set-mark`, `--and-mark`, `--or-mark`, `--xor-mark` (extensions/libxt_MARK.c: mark_tg_parse). */
function parseXmark(o: ParsedOption, what: string): XmarkTarget {
  const text = o.values[0]!;
  const number = (): number => parseNumber(text, 0xffffffff, what);
  switch (o.name) {
    case "set-xmark": {
      const { mark, mask } = parseMarkMask(text, what);
      return { value: mark, mask };
    }
    case "set-mark": {
      const { mark, mask } = parseMarkMask(text, what);
      return { value: mark, mask: (mark | mask) >>> 0 };
    }
    case "and-mark":
      return { value: 0, mask: ~number() >>> 0 };
    case "or-mark":
      return { value: number(), mask: number() };
    default:
      return { value: number(), mask: 0 };
  }
}

const XMARK_OPTIONS = { "set-xmark": 1, "set-mark": 1, "and-mark": 1, "or-mark": 1, "xor-mark": 1 } as const;

const xmark = (old: number, t: XmarkTarget): number => ((old & ~t.mask) ^ t.value) >>> 0;

function setMark(t: XmarkTarget, skb: Skb): TargetOutcome {
  skb.mark = xmark(skb.mark, t);
  return TARGET_CONTINUE;
}

/** `-j MARK` (net/netfilter/xt_mark.c: mark_tg). */
export const mark: TargetExtension<XmarkTarget> = {
  name: "MARK",
  options: XMARK_OPTIONS,
  tables: null,
  code: TARGET_EXECUTE,
  parse(options) {
    const o = options[0];
    if (o === undefined || options.length > 1)
      return refuse("MARK: exactly one of its options must be given");
    return parseXmark(o, "MARK");
  },
  print: (t) => ` --set-xmark ${hex(t.value)}/${hex(t.mask)}`,
  execute: setMark,
};

export type ConnmarkTarget =
  | ({ readonly mode: "set" } & XmarkTarget)
  | { readonly mode: "save" | "restore"; readonly ctmask: number; readonly nfmask: number };

function connmarkExecute(t: ConnmarkTarget, skb: Skb, context: RuleContext): TargetOutcome {
  const ct = skb.ct;
  if (ct === null) return TARGET_CONTINUE;
  context.host.clock.journal?.keep(ct);
  if (t.mode === "set") ct.mark = xmark(ct.mark, t);
  else if (t.mode === "save") ct.mark = ((ct.mark & ~t.ctmask) ^ (skb.mark & t.nfmask)) >>> 0;
  else skb.mark = ((skb.mark & ~t.nfmask) ^ (ct.mark & t.ctmask)) >>> 0;
  return TARGET_CONTINUE;
}

/** `-j CONNMARK` (net/netfilter/xt_connmark.c: connmark_tg). */
export const connmark: TargetExtension<ConnmarkTarget> = {
  name: "CONNMARK",
  options: { ...XMARK_OPTIONS, "save-mark": 0, "restore-mark": 0, nfmask: 1, ctmask: 1, mask: 1 },
  tables: null,
  code: TARGET_EXECUTE,
  parse(options) {
    const actions = options.filter((o) => !["nfmask", "ctmask", "mask"].includes(o.name));
    const o = actions[0];
    if (o === undefined || actions.length > 1) return refuse("CONNMARK: exactly one operation must be given");
    if (o.name !== "save-mark" && o.name !== "restore-mark") {
      if (options.length > 1) refuse(`CONNMARK: --${o.name} takes no mask option`);
      return { mode: "set", ...parseXmark(o, "CONNMARK") };
    }
    const both = option(options, "mask");
    const mask = (name: string): number => {
      const own = both ?? option(options, name);
      return own === null ? 0xffffffff : parseNumber(own.values[0]!, 0xffffffff, "CONNMARK");
    };
    return {
      mode: o.name === "save-mark" ? "save" : "restore",
      ctmask: mask("ctmask"),
      nfmask: mask("nfmask"),
    };
  },
  print: (t) =>
    t.mode === "set"
      ? ` --set-xmark ${hex(t.value)}/${hex(t.mask)}`
      : ` --${t.mode}-mark --nfmask ${hex(t.nfmask)} --ctmask ${hex(t.ctmask)}`,
  execute: connmarkExecute,
};
