import { ipTotalLength } from "../../../../packet/packet.ts";
import { refuse } from "../error.ts";
import { type MatchExtension, required } from "./extension.ts";

/** `-m nfacct`: counts and always matches (net/netfilter/xt_nfacct.c: nfacct_mt). */
export const nfacct: MatchExtension<{ readonly name: string }> = {
  name: "nfacct",
  options: { "nfacct-name": 1 },
  parse(options) {
    const name = required(options, "nfacct-name", "nfacct").values[0]!;
    if (name === "" || name.length > 31) refuse("nfacct: the name of a counter has 1 to 31 characters");
    return { name };
  },
  // The tool itself prints two blanks
  print: (m) => ` --nfacct-name  ${m.name}`,
  evaluate(m, skb, context) {
    const counter = context.state.accounting(m.name, context.host.clock.journal);
    counter.packets++;
    counter.bytes += ipTotalLength(skb.packet);
    return true;
  },
  newState: null,
  pure: false,
};
