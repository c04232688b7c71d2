import { refuse } from "../error.ts";
import { ipsetContains } from "../ipset.ts";
import { type MatchExtension, not, required } from "./extension.ts";

export interface SetMatch {
  readonly name: string;
  readonly directions: readonly ("src" | "dst")[];
  readonly negated: boolean;
}

/** `-m set --match-set NAME DIRECTIONS` (net/netfilter/xt_set.c: set_match_v4). A set that does not exist holds nothing. */
export const set: MatchExtension<SetMatch> = {
  name: "set",
  options: { "match-set": 2 },
  parse(options) {
    const o = required(options, "match-set", "set");
    const directions = o.values[1]!.split(",");
    if (directions.length > 6 || directions.some((d) => d !== "src" && d !== "dst")) {
      refuse(`set: directions "${o.values[1]}" must be a list of "src" and "dst"`);
    }
    return { name: o.values[0]!, directions: directions as SetMatch["directions"], negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --match-set ${m.name} ${m.directions.join(",")}`,
  evaluate(m, skb, context) {
    context.host.clock.journal?.keep(context.state);
    context.state.setLookups++;
    const found = context.state.sets.get(m.name);
    return (found !== undefined && ipsetContains(found, skb.packet, m.directions)) !== m.negated;
  },
  newState: null,
  pure: true,
};
