import {
  ICMP_DEST_UNREACH,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_FRAG_NEEDED,
  ICMP_REDIRECT,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipTotalLength,
  isIcmpError,
  type Packet,
} from "../../../packet/packet.ts";
import type { Skb } from "../../skb.ts";
import type { HookState } from "../context.ts";
import { printAddress } from "./address-text.ts";
import type { LogTarget } from "./target/log.ts";

const TCP_FLAG_NAMES: readonly (readonly [number, string])[] = [
  [0x80, "CWR"],
  [0x40, "ECE"],
  [0x20, "URG"],
  [0x10, "ACK"],
  [0x08, "PSH"],
  [0x04, "RST"],
  [0x02, "SYN"],
  [0x01, "FIN"],
];

const macText = (mac: number): string =>
  mac
    .toString(16)
    .padStart(12, "0")
    .replace(/..(?=.)/g, "$&:");

/**
 * The line that LOG writes, without level and time (net/netfilter/nf_log_syslog.c: nf_log_ip_packet). Options of
 * the TCP header are not written out, since only their presence is modelled.
 */
export function logText(target: LogTarget, skb: Skb, at: HookState): string {
  const bridge = skb.nfBridge;
  let text = `${target.prefix}IN=${at.in?.name ?? ""} OUT=${at.out?.name ?? ""} `;
  if (bridge?.physindev && bridge.physindev !== at.in) text += `PHYSIN=${bridge.physindev.name} `;
  if (bridge?.physoutdev && bridge.physoutdev !== at.out) text += `PHYSOUT=${bridge.physoutdev.name} `;
  if (at.in !== null) text += macHeader(target, skb.packet, at.in.headerless);
  text += ipText(skb.packet, target, false);
  if (target.uid && (skb.origin === "socket" || skb.origin === "daemon") && at.in === null)
    text += "UID=0 GID=0 ";
  if (skb.mark !== 0) text += `MARK=0x${skb.mark.toString(16)} `;
  return text;
}

function macHeader(target: LogTarget, p: Packet, bare: boolean): string {
  if (bare) return "MAC= ";
  const type = p.etherType.toString(16).padStart(4, "0");
  if (target.macDecode) return `MACSRC=${macText(p.smac)} MACDST=${macText(p.dmac)} MACPROTO=${type} `;
  return `MAC=${macText(p.dmac)}:${macText(p.smac)}:${type.slice(0, 2)}:${type.slice(2)} `;
}

/** `dump_ipv4_packet`; a quoted packet (`inner`) says a little less. */
function ipText(p: Packet, target: LogTarget, inner: boolean): string {
  const byte = (n: number): string => n.toString(16).toUpperCase().padStart(2, "0");
  let text = `SRC=${printAddress(p.src)} DST=${printAddress(p.dst)} `;
  text += `LEN=${ipTotalLength(p)} TOS=0x${byte(p.tos & 0x1e)} PREC=0x${byte(p.tos & 0xe0)} `;
  text += `TTL=${p.ttl} ID=${p.id} `;
  if (p.df) text += "DF ";
  if (p.mf) text += "MF ";
  if (p.fragOffset !== 0) text += `FRAG:${p.fragOffset >> 3} `;
  return text + transportText(p, target, inner);
}

function transportText(p: Packet, target: LogTarget, inner: boolean): string {
  const first = p.fragOffset === 0;
  switch (p.protocol) {
    case IPPROTO_TCP: {
      if (!first) return "PROTO=TCP ";
      let text = `PROTO=TCP SPT=${p.sport} DPT=${p.dport} `;
      if (target.tcpSequence) text += `SEQ=${p.seq} ACK=${p.ack} `;
      text += `WINDOW=${p.window} RES=0x00 `;
      for (const [bit, name] of TCP_FLAG_NAMES) if (p.tcpFlags & bit) text += `${name} `;
      return `${text}URGP=0 `;
    }
    case IPPROTO_UDP:
      return first ? `PROTO=UDP SPT=${p.sport} DPT=${p.dport} LEN=${ipTotalLength(p) - 20} ` : "PROTO=UDP ";
    case IPPROTO_ICMP:
      return first ? icmpText(p, target, inner) : "PROTO=ICMP ";
    default:
      return `PROTO=${p.protocol} `;
  }
}

function icmpText(p: Packet, target: LogTarget, inner: boolean): string {
  let text = `PROTO=ICMP TYPE=${p.icmpType} CODE=${p.icmpCode} `;
  if (p.icmpType === ICMP_ECHO || p.icmpType === ICMP_ECHOREPLY) {
    return `${text}ID=${p.icmpId} SEQ=${p.icmpSeq} `;
  }
  if (p.icmpType === ICMP_REDIRECT) text += `GATEWAY=${printAddress(p.icmpInfo)} `;
  if (isIcmpError(p) && !inner && p.inner !== null) text += `[${ipText(p.inner, target, true)}] `;
  if (p.icmpType === ICMP_DEST_UNREACH && p.icmpCode === ICMP_FRAG_NEEDED) text += `MTU=${p.icmpInfo} `;
  return text;
}
