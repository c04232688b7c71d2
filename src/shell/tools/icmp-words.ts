import { ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED } from "../../packet/packet.ts";

const UNREACHABLE: readonly string[] = [
  "Destination Net Unreachable",
  "Destination Host Unreachable",
  "Destination Protocol Unreachable",
  "Destination Port Unreachable",
  "Frag needed and DF set",
  "Source Route Failed",
  "Destination Net Unknown",
  "Destination Host Unknown",
  "Source Host Isolated",
  "Destination Net Prohibited",
  "Destination Host Prohibited",
  "Destination Net Unreachable for Type of Service",
  "Destination Host Unreachable for Type of Service",
  "Packet filtered",
  "Precedence Violation",
  "Precedence Cutoff",
];

/** What ping says of an ICMP error (iputils: pr_icmph). */
export function icmpErrorWords(type: number, code: number, mtu: number | null): string {
  if (type === ICMP_TIME_EXCEEDED)
    return code === 0 ? "Time to live exceeded" : "Frag reassembly time exceeded";
  if (type !== ICMP_DEST_UNREACH) return `Bad ICMP type: ${type}`;
  const text = UNREACHABLE[code] ?? `Dest Unreachable, Bad Code: ${code}`;
  return code === 4 ? `${text} (mtu = ${mtu ?? 0})` : text;
}

/** The mark that traceroute puts behind a time for an unreachable code (traceroute: print_end). */
export function tracerouteMark(type: number, code: number): string {
  if (type !== ICMP_DEST_UNREACH || code === 3) return "";
  return { 0: " !N", 1: " !H", 2: " !P", 4: " !F", 9: " !X", 10: " !X", 13: " !X" }[code] ?? ` !<${code}>`;
}
