import { formatMac } from "../../packet/address.ts";
import { ETH_P_ARP, isIcmpError, type Packet } from "../../packet/packet.ts";
import { summarize } from "../../packet/summary.ts";
import type { Frame } from "../record.ts";

/**
 * All of a frame on which two worlds must agree, in one line: MACs, addresses, ports, TTL, lengths, flags, TOS, what
 * an error quotes. Identifications, sequence numbers and times are not among it.
 */
export function frameLine({ packet, unreadable, device, link }: Frame): string {
  if (packet === null) return `unreadable: ${unreadable}`;
  const text = summaryOf(packet);
  if (link === "raw" || device === "lo") return text;
  return `${formatMac(packet.smac)}>${formatMac(packet.dmac)} ${text}`;
}

function summaryOf(p: Packet): string {
  if (p.etherType === ETH_P_ARP) return summarize(p);
  const tos = p.tos === 0 ? "" : ` tos 0x${p.tos.toString(16)}`;
  const line = summarize(p);
  return isIcmpError(p) && p.inner !== null
    ? `${line}${tos} quoting ${p.payloadLength} bytes: ${quote(p.inner, p.payloadLength)}`
    : line + tos;
}

/** A TCP header's flags are its fourteenth byte: a short quote ends before them. */
const quote = (inner: Packet, bytes: number): string => {
  const line = summarize(inner);
  return bytes < 20 + 14 ? line.replace(/ \[\w+\]/, "") : line;
};
