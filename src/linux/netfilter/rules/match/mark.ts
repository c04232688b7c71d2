import { hex, parseMarkMask } from "../number-text.ts";
import { type MatchExtension, not, required } from "./extension.ts";

export interface MarkMatch {
  readonly mark: number;
  readonly mask: number;
  readonly negated: boolean;
}

/** Where in `-m mark` and `-m connmark` the two differ: whose mark is looked at. */
function markSyntax(name: string): Pick<MatchExtension<MarkMatch>, "name" | "options" | "parse" | "print"> {
  return {
    name,
    options: { mark: 1 },
    parse(options) {
      const o = required(options, "mark", name);
      return { ...parseMarkMask(o.values[0]!, name), negated: o.negated };
    },
    print(m) {
      const mask = m.mask === 0xffffffff ? "" : `/${hex(m.mask)}`;
      return `${not(m.negated)} --mark ${hex(m.mark)}${mask}`;
    },
  };
}

/** `-m mark` (net/netfilter/xt_mark.c: mark_mt). */
export const mark: MatchExtension<MarkMatch> = {
  ...markSyntax("mark"),
  evaluate: (m, skb) => ((skb.mark & m.mask) >>> 0 === m.mark) !== m.negated,
  newState: null,
  pure: true,
};

/** `-m connmark` (net/netfilter/xt_connmark.c: connmark_mt); a packet without an entry never matches. */
export const connmark: MatchExtension<MarkMatch> = {
  ...markSyntax("connmark"),
  evaluate: (m, skb) => skb.ct !== null && ((skb.ct.mark & m.mask) >>> 0 === m.mark) !== m.negated,
  newState: null,
  pure: true,
};
