/** One frame as `tcpdump -n` prints it. */
import type { DeviceEvent } from "../../linux/recorder.ts";
import { formatIpv4, formatMac } from "../../packet/address.ts";
import {
  ARPOP_REQUEST,
  ETH_P_ARP,
  ICMP_DEST_UNREACH,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_TIME_EXCEEDED,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isFragment,
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
} from "../../packet/packet.ts";

const SECOND_US = 1_000_000;

/** `epoch`: what the clock's 0 is, in seconds since 1970. */
export function tcpdumpLine({ timeUs, packet, link }: DeviceEvent, epoch: number, withLink: boolean): string {
  const seconds = Math.floor(timeUs / SECOND_US);
  const clock = new Date((epoch + seconds) * 1000).toISOString().slice(11, 19);
  const time = `${clock}.${String(timeUs % SECOND_US).padStart(6, "0")}`;
  const isArp = packet.etherType === ETH_P_ARP;
  const type = isArp ? "ARP (0x0806)" : "IPv4 (0x0800)";
  const length = (isArp ? 28 : ipTotalLength(packet)) + 14;
  const head =
    withLink && link === "ethernet"
      ? `${formatMac(packet.smac)} > ${formatMac(packet.dmac)}, ethertype ${type}, length ${length}: `
      : isArp
        ? "ARP, "
        : "IP ";
  return `${time} ${head}${isArp ? arp(packet) : ipv4(packet)}`;
}

function arp({ arpOp, src, dst, arpSenderMac }: Packet): string {
  if (arpOp === ARPOP_REQUEST) return `Request who-has ${formatIpv4(dst)} tell ${formatIpv4(src)}, length 28`;
  return `Reply ${formatIpv4(src)} is-at ${formatMac(arpSenderMac)}, length 28`;
}

function ipv4(p: Packet): string {
  const addresses = `${formatIpv4(p.src)} > ${formatIpv4(p.dst)}`;
  if (p.fragOffset > 0) return `${addresses}: ip-proto-${p.protocol}`;
  const ports = `${formatIpv4(p.src)}.${p.sport} > ${formatIpv4(p.dst)}.${p.dport}`;
  switch (p.protocol) {
    case IPPROTO_TCP:
      return `${ports}: ${tcp(p)}`;
    case IPPROTO_UDP:
      return `${ports}: UDP, length ${isFragment(p) ? p.payloadLength - 8 : ipTotalLength(p) - 28}`;
    case IPPROTO_SCTP:
      return `${ports}: sctp`;
    case IPPROTO_ICMP:
      return `${addresses}: ICMP ${icmp(p)}, length ${ipTotalLength(p) - 20}`;
    default:
      return `${addresses}: ip-proto-${p.protocol} ${ipTotalLength(p) - 20}`;
  }
}

function tcp({ tcpFlags, seq, ack, window, payloadLength, mss }: Packet): string {
  const letters = [
    tcpFlags & TCP_SYN ? "S" : "",
    tcpFlags & TCP_FIN ? "F" : "",
    tcpFlags & TCP_RST ? "R" : "",
    tcpFlags & TCP_PSH ? "P" : "",
    tcpFlags & TCP_ACK ? "." : "",
  ].join("");
  const carries = payloadLength > 0 || (tcpFlags & (TCP_SYN | TCP_FIN | TCP_RST)) !== 0;
  const numbers = payloadLength > 0 ? `${seq}:${(seq + payloadLength) >>> 0}` : String(seq);
  return [
    `Flags [${letters}]`,
    ...(carries ? [`seq ${numbers}`] : []),
    ...(tcpFlags & TCP_ACK ? [`ack ${ack}`] : []),
    `win ${window}`,
    ...(tcpFlags & TCP_SYN ? [`options [mss ${mss}]`] : []),
    `length ${payloadLength}`,
  ].join(", ");
}

function icmp({ icmpType, icmpCode, icmpId, icmpSeq, icmpInfo, inner }: Packet): string {
  if (icmpType === ICMP_ECHO || icmpType === ICMP_ECHOREPLY)
    return `echo ${icmpType === ICMP_ECHO ? "request" : "reply"}, id ${icmpId}, seq ${icmpSeq}`;
  const to = inner === null ? "?" : formatIpv4(inner.dst);
  if (icmpType === ICMP_TIME_EXCEEDED)
    return icmpCode === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
  if (icmpType !== ICMP_DEST_UNREACH) return `type-#${icmpType}`;
  if (icmpCode === 3) return `${to} ${protocolWord(inner)} port ${inner?.dport ?? 0} unreachable`;
  if (icmpCode === 4) return `${to} unreachable - need to frag (mtu ${icmpInfo})`;
  return icmpCode === 0
    ? `net ${to} unreachable`
    : icmpCode === 1
      ? `host ${to} unreachable`
      : `host ${to} unreachable - admin prohibited`;
}

const protocolWord = (inner: Packet | null): string =>
  inner?.protocol === IPPROTO_TCP ? "tcp" : inner?.protocol === IPPROTO_UDP ? "udp" : "sctp";
