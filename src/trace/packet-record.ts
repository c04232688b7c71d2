import { formatIpv4, formatMac } from "../packet/address.ts";
import {
  ETH_P_ARP,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isFragment,
  type Packet,
} from "../packet/packet.ts";
import { summarize } from "../packet/summary.ts";

/** A packet in words and plain numbers, for JSON. */
export interface PacketRecord {
  /** One line, much as tcpdump prints it. */
  readonly summary: string;
  readonly protocol: string;
  /** `IP:PORT`, or `IP` where there are no ports. */
  readonly source: string;
  readonly destination: string;
  /** 0 in ARP. */
  readonly ttl: number;
  /** IPv4 total length in bytes; 28 for ARP. */
  readonly length: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly inner?: PacketRecord;
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  [IPPROTO_ICMP]: "icmp",
  [IPPROTO_TCP]: "tcp",
  [IPPROTO_UDP]: "udp",
  [IPPROTO_SCTP]: "sctp",
};
const ARP_LENGTH = 28;

/** `tcp`, `udp`, …; the number's text for a protocol without a name here. */
export const protocolName = (protocol: number): string => PROTOCOLS[protocol] ?? String(protocol);

const hasPorts = (p: Packet): boolean =>
  p.etherType !== ETH_P_ARP && p.protocol !== IPPROTO_ICMP && p.protocol in PROTOCOLS && p.fragOffset === 0;

/** `IP:PORT`, or `IP`. */
export const sourceText = (p: Packet): string => formatIpv4(p.src) + (hasPorts(p) ? `:${p.sport}` : "");

/** `IP:PORT`, or `IP`. */
export const destinationText = (p: Packet): string => formatIpv4(p.dst) + (hasPorts(p) ? `:${p.dport}` : "");

/** See {@link PacketRecord}. */
export function packetRecord(p: Packet): PacketRecord {
  const arp = p.etherType === ETH_P_ARP;
  const record: PacketRecord = {
    summary: summarize(p),
    protocol: arp ? "arp" : protocolName(p.protocol),
    source: sourceText(p),
    destination: destinationText(p),
    ttl: arp ? 0 : p.ttl,
    length: arp ? ARP_LENGTH : ipTotalLength(p),
    id: p.id,
    dontFragment: p.df !== 0,
    sourceMac: formatMac(p.smac),
    destinationMac: formatMac(p.dmac),
  };
  return p.inner === null || isFragment(p) ? record : { ...record, inner: packetRecord(p.inner) };
}
