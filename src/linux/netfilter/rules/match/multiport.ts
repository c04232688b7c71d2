import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../../../packet/packet.ts";
import { refuse } from "../error.ts";
import { parsePort } from "../number-text.ts";
import { type MatchExtension, not } from "./extension.ts";

export interface MultiportMatch {
  readonly which: "sports" | "dports" | "ports";
  readonly negated: boolean;
  /** Pairs of first and last port. */
  readonly ranges: readonly (readonly [number, number])[];
}

const NAMES: Readonly<Record<string, MultiportMatch["which"]>> = {
  sports: "sports",
  "source-ports": "sports",
  dports: "dports",
  "destination-ports": "dports",
  ports: "ports",
};

function inRanges(ranges: MultiportMatch["ranges"], port: number): boolean {
  for (let i = 0; i < ranges.length; i++) {
    const range = ranges[i]!;
    if (port >= range[0] && port <= range[1]) return true;
  }
  return false;
}

/** `-m multiport` (net/netfilter/xt_multiport.c: ports_match_v1); at most 15 ports, a range counts as two. */
export const multiport: MatchExtension<MultiportMatch> = {
  name: "multiport",
  options: { sports: 1, "source-ports": 1, dports: 1, "destination-ports": 1, ports: 1 },
  parse(options, head) {
    const usable = [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, 33, 136];
    if (!usable.includes(head.protocol) || head.protocolNegated) {
      refuse('multiport: only works with "-p tcp", udp, udplite, dccp or sctp');
    }
    const o = options[0];
    if (o === undefined || options.length > 1)
      return refuse("multiport: exactly one list of ports must be given");
    let slots = 0;
    const ranges = o.values[0]!.split(",").map((text): [number, number] => {
      const [low, high] = text.split(":");
      const first = parsePort(low!, "multiport");
      const last = high === undefined ? first : parsePort(high, "multiport");
      if (high !== undefined && first >= last) refuse(`multiport: invalid port range "${text}"`);
      slots += high === undefined ? 1 : 2;
      return [first, last];
    });
    if (slots > 15) refuse("multiport: too many ports specified");
    return { which: NAMES[o.name]!, negated: o.negated, ranges };
  },
  print(m) {
    const ports = m.ranges.map(([a, b]) => (a === b ? `${a}` : `${a}:${b}`)).join(",");
    return `${not(m.negated)} --${m.which} ${ports}`;
  },
  evaluate(m, skb) {
    const p = skb.packet;
    if (p.fragOffset !== 0) return false;
    const found =
      (m.which !== "dports" && inRanges(m.ranges, p.sport)) ||
      (m.which !== "sports" && inRanges(m.ranges, p.dport));
    return found !== m.negated;
  },
  newState: null,
  pure: true,
};
