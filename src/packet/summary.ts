import { formatIpv4, formatMac } from "./address.ts";
import {
  ARPOP_REPLY,
  ARPOP_REQUEST,
  ETH_P_ARP,
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isFragment,
  type Packet,
} from "./packet.ts";

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [IPPROTO_ICMP, "icmp"],
  [IPPROTO_TCP, "tcp"],
  [IPPROTO_UDP, "udp"],
  [IPPROTO_SCTP, "sctp"],
]);

/** Letters of the TCP flags from the lowest bit up: FIN SYN RST PSH ACK URG ECE CWR. */
const TCP_FLAG_LETTERS = "FSRPAUEC";

/**
 * A packet in one line, much as tcpdump prints it; `len` is the IPv4 total length in bytes.
 *
 * @example
 * ```
 * tcp 192.168.97.2:58022 > 192.168.25.197:80 ttl 64 len 60 DF [S]
 * udp 10.1.96.232:8285 > 10.1.96.233:8285 ttl 64 len 88 DF {tcp …}
 * udp 192.168.96.99 > 192.168.0.10 ttl 64 len 540 frag@1480
 * icmp 192.168.97.1 > 192.168.97.2 ttl 64 len 576 type 3/4 mtu 1472
 * arp who-has 10.1.96.1 tell 10.1.96.233
 * ```
 */
export function summarize(p: Packet): string {
  return p.etherType === ETH_P_ARP ? summarizeArp(p) : summarizeIp(p);
}

function summarizeArp(p: Packet): string {
  switch (p.arpOp) {
    case ARPOP_REQUEST:
      return `arp who-has ${formatIpv4(p.dst)} tell ${formatIpv4(p.src)}`;
    case ARPOP_REPLY:
      return `arp ${formatIpv4(p.src)} is-at ${formatMac(p.arpSenderMac)}`;
    default:
      return `arp op ${p.arpOp} ${formatIpv4(p.src)} > ${formatIpv4(p.dst)}`;
  }
}

function summarizeIp(p: Packet): string {
  const hasTransport = p.fragOffset === 0;
  const hasPorts =
    hasTransport && (p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP || p.protocol === IPPROTO_SCTP);
  const source = formatIpv4(p.src) + (hasPorts ? `:${p.sport}` : "");
  const destination = formatIpv4(p.dst) + (hasPorts ? `:${p.dport}` : "");
  const name = PROTOCOL_NAMES.get(p.protocol) ?? `ip-proto-${p.protocol}`;

  let line = `${name} ${source} > ${destination} ttl ${p.ttl} len ${ipTotalLength(p)}`;
  if (p.df) line += " DF";
  if (isFragment(p)) line += ` frag@${p.fragOffset}${p.mf ? "+" : ""}`;
  return hasTransport ? line + transportDetail(p) : line;
}

function transportDetail(p: Packet): string {
  switch (p.protocol) {
    case IPPROTO_TCP:
      // a first fragment may have been read without its flags
      return isFragment(p) ? "" : ` [${tcpFlagLetters(p.tcpFlags)}]`;
    case IPPROTO_UDP:
      return p.inner !== null && !isFragment(p) ? ` {${summarize(p.inner)}}` : "";
    case IPPROTO_ICMP: {
      const fragNeeded = p.icmpType === ICMP_DEST_UNREACH && p.icmpCode === ICMP_FRAG_NEEDED;
      return ` type ${p.icmpType}/${p.icmpCode}${fragNeeded ? ` mtu ${p.icmpInfo}` : ""}`;
    }
    default:
      return "";
  }
}

function tcpFlagLetters(flags: number): string {
  const letters = [...TCP_FLAG_LETTERS].filter((_, bit) => flags & (1 << bit)).join("");
  return letters === "" ? "none" : letters;
}
