import { PACKET_BROADCAST, PACKET_HOST, PACKET_MULTICAST } from "../../../skb.ts";
import { refuse } from "../error.ts";
import { type MatchExtension, not, required } from "./extension.ts";

const NAMES: Readonly<Record<string, number>> = {
  unicast: PACKET_HOST,
  host: PACKET_HOST,
  broadcast: PACKET_BROADCAST,
  bcast: PACKET_BROADCAST,
  multicast: PACKET_MULTICAST,
  mcast: PACKET_MULTICAST,
};
const PRINTED = ["unicast", "broadcast", "multicast"];

/** `-m pkttype` (net/netfilter/xt_pkttype.c: pkttype_mt). */
export const pkttype: MatchExtension<{ readonly type: number; readonly negated: boolean }> = {
  name: "pkttype",
  options: { "pkt-type": 1 },
  parse(options) {
    const o = required(options, "pkt-type", "pkttype");
    const type = NAMES[o.values[0]!.toLowerCase()];
    if (type === undefined) return refuse(`pkttype: bad packet type "${o.values[0]}"`);
    return { type, negated: o.negated };
  },
  print: (m) => `${not(m.negated)} --pkt-type ${PRINTED[m.type]}`,
  evaluate: (m, skb) => (skb.pktType === m.type) !== m.negated,
  newState: null,
  pure: true,
};
