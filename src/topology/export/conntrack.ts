import { stateName } from "../../linux/netfilter/conntrack/describe.ts";
import {
  type Conntrack,
  IPS_ASSURED,
  IPS_SEEN_REPLY,
  type Tuple,
} from "../../linux/netfilter/conntrack/entry.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { IPPROTO_ICMP, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../packet/packet.ts";

const NAMES: Readonly<Record<number, string>> = {
  [IPPROTO_ICMP]: "icmp",
  [IPPROTO_TCP]: "tcp",
  [IPPROTO_UDP]: "udp",
  [IPPROTO_SCTP]: "sctp",
};

/**
 * What `conntrack -L` prints on standard output, oldest entry first (libnetfilter_conntrack:
 * src/conntrack/snprintf_default.c). Nothing while the namespace tracks no connections.
 */
export function conntrackList(netns: Netns): string {
  const table = netns.netfilter.conntrack;
  if (table === null) return "";
  return [...table.entries()].map((ct) => `${entryText(ct, netns.clock.nowUs)}\n`).join("");
}

function entryText(ct: Conntrack, nowUs: number): string {
  const seconds = Math.floor((ct.expiresUs - nowUs) / 1_000_000);
  const state = stateName(ct);
  const words = [
    `${(NAMES[ct.protocol] ?? "unknown").padEnd(8)} ${ct.protocol} ${seconds}`,
    state ?? "",
    tupleText(ct.original),
    (ct.status & IPS_SEEN_REPLY) === 0 ? "[UNREPLIED]" : "",
    tupleText(ct.reply),
    (ct.status & IPS_ASSURED) !== 0 ? "[ASSURED]" : "",
    `mark=${ct.mark} use=1`,
  ];
  return words.filter((word) => word !== "").join(" ");
}

function tupleText({ src, dst, sport, dport, protocol }: Tuple): string {
  const addresses = `src=${formatIpv4(src)} dst=${formatIpv4(dst)}`;
  if (protocol === IPPROTO_ICMP) return `${addresses} type=${dport >> 8} code=${dport & 0xff} id=${sport}`;
  return NAMES[protocol] === undefined ? addresses : `${addresses} sport=${sport} dport=${dport}`;
}
