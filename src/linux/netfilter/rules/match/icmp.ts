import { IPPROTO_ICMP } from "../../../../packet/packet.ts";
import { refuse } from "../error.ts";
import { parseNumber } from "../number-text.ts";
import { type MatchExtension, not, required } from "./extension.ts";

export interface IcmpMatch {
  /** 255 stands for any type. */
  readonly type: number;
  readonly minCode: number;
  readonly maxCode: number;
  readonly negated: boolean;
}

/** Names of types and codes (`iptables -p icmp -h`): type, first and last code. */
const NAMES: Readonly<Record<string, readonly [number, number, number]>> = {
  any: [255, 0, 255],
  "echo-reply": [0, 0, 255],
  pong: [0, 0, 255],
  "destination-unreachable": [3, 0, 255],
  "network-unreachable": [3, 0, 0],
  "host-unreachable": [3, 1, 1],
  "protocol-unreachable": [3, 2, 2],
  "port-unreachable": [3, 3, 3],
  "fragmentation-needed": [3, 4, 4],
  "source-route-failed": [3, 5, 5],
  "network-unknown": [3, 6, 6],
  "host-unknown": [3, 7, 7],
  "network-prohibited": [3, 9, 9],
  "host-prohibited": [3, 10, 10],
  "TOS-network-unreachable": [3, 11, 11],
  "TOS-host-unreachable": [3, 12, 12],
  "communication-prohibited": [3, 13, 13],
  "host-precedence-violation": [3, 14, 14],
  "precedence-cutoff": [3, 15, 15],
  "source-quench": [4, 0, 255],
  redirect: [5, 0, 255],
  "network-redirect": [5, 0, 0],
  "host-redirect": [5, 1, 1],
  "TOS-network-redirect": [5, 2, 2],
  "TOS-host-redirect": [5, 3, 3],
  "echo-request": [8, 0, 255],
  ping: [8, 0, 255],
  "router-advertisement": [9, 0, 255],
  "router-solicitation": [10, 0, 255],
  "time-exceeded": [11, 0, 255],
  "ttl-exceeded": [11, 0, 255],
  "ttl-zero-during-transit": [11, 0, 0],
  "ttl-zero-during-reassembly": [11, 1, 1],
  "parameter-problem": [12, 0, 255],
  "ip-header-bad": [12, 0, 0],
  "required-option-missing": [12, 1, 1],
  "timestamp-request": [13, 0, 255],
  "timestamp-reply": [14, 0, 255],
  "address-mask-request": [17, 0, 255],
  "address-mask-reply": [18, 0, 255],
};

function parseType(text: string): readonly [number, number, number] {
  const wanted = text.toLowerCase();
  const names = Object.keys(NAMES).filter((name) => name.toLowerCase().startsWith(wanted));
  const exact = names.find((name) => name.toLowerCase() === wanted);
  if (exact !== undefined) return NAMES[exact]!;
  if (names.length === 1) return NAMES[names[0]!]!;
  if (names.length > 1) refuse(`icmp: ambiguous ICMP type "${text}": "${names[0]}" or "${names[1]}"?`);
  const [type, code] = text.split("/");
  const t = parseNumber(type!, 255, "icmp type");
  if (code === undefined) return [t, 0, 255];
  const c = parseNumber(code, 255, "icmp code");
  return [t, c, c];
}

/** `-m icmp` (net/netfilter/xt_tcpudp.c: icmp_match). */
export const icmp: MatchExtension<IcmpMatch> = {
  name: "icmp",
  options: { "icmp-type": 1 },
  parse(options, head) {
    if (head.protocol !== IPPROTO_ICMP || head.protocolNegated) refuse('icmp: needs "-p icmp"');
    const o = required(options, "icmp-type", "icmp");
    const [type, minCode, maxCode] = parseType(o.values[0]!);
    return { type, minCode, maxCode, negated: o.negated };
  },
  print(m) {
    const code = m.minCode === 0 && m.maxCode === 255 ? "" : `/${m.minCode}`;
    return `${not(m.negated)} --icmp-type ${m.type === 255 ? "any" : `${m.type}${code}`}`;
  },
  evaluate(m, skb) {
    const p = skb.packet;
    if (p.fragOffset !== 0) return false;
    const same =
      m.type === 255 || (p.icmpType === m.type && p.icmpCode >= m.minCode && p.icmpCode <= m.maxCode);
    return same !== m.negated;
  },
  newState: null,
  pure: true,
};
