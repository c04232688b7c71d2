import type { Packet } from "../../../packet/packet.ts";
import type { HookState } from "../context.ts";
import { type MaskedAddress, printMasked } from "./address-text.ts";
import { type InterfacePattern, interfaceFits, printInterface } from "./interface-name.ts";
import { printProtocol } from "./protocol.ts";

/** What a rule asks of the IP header and the devices: `struct ipt_ip`. A mask of 0 asks nothing. */
export interface IpHeader {
  readonly src: number;
  readonly srcMask: number;
  readonly srcNegated: boolean;
  readonly dst: number;
  readonly dstMask: number;
  readonly dstNegated: boolean;
  readonly in: InterfacePattern | null;
  readonly out: InterfacePattern | null;
  /** 0 for every protocol. */
  readonly protocol: number;
  readonly protocolNegated: boolean;
  /** `-f`: second and further fragments; `! -f`: all but those. */
  readonly fragment: "only" | "not" | null;
}

/** `ip_packet_match` (net/ipv4/netfilter/ip_tables.c). */
export function ipHeaderMatches(h: IpHeader, p: Packet, at: HookState): boolean {
  if ((((p.dst ^ h.dst) & h.dstMask) === 0) === h.dstNegated) return false;
  if ((((p.src ^ h.src) & h.srcMask) === 0) === h.srcNegated) return false;
  if (h.protocol !== 0 && (p.protocol === h.protocol) === h.protocolNegated) return false;
  if (h.in !== null && interfaceFits(h.in, at.in === null ? "" : at.in.name) === h.in.negated) return false;
  if (h.out !== null && interfaceFits(h.out, at.out === null ? "" : at.out.name) === h.out.negated)
    return false;
  return h.fragment === null || (p.fragOffset !== 0) === (h.fragment === "only");
}

function printAddress(flag: string, masked: MaskedAddress, negated: boolean): string {
  if (masked.mask === 0 && !negated) return "";
  return `${negated ? " !" : ""} ${flag} ${printMasked(masked)}`;
}

const printDevice = (flag: string, pattern: InterfacePattern | null): string =>
  pattern === null ? "" : `${pattern.negated ? " !" : ""} ${flag} ${printInterface(pattern)}`;

/** As iptables-save prints it, each part with a blank before it (iptables/xshared.c: save_ipv4_rule). */
export function printIpHeader(h: IpHeader): string {
  let text = printAddress("-s", { address: h.src, mask: h.srcMask }, h.srcNegated);
  text += printAddress("-d", { address: h.dst, mask: h.dstMask }, h.dstNegated);
  text += printDevice("-i", h.in) + printDevice("-o", h.out);
  if (h.protocol !== 0) text += `${h.protocolNegated ? " !" : ""} -p ${printProtocol(h.protocol)}`;
  if (h.fragment !== null) text += h.fragment === "only" ? " -f" : " ! -f";
  return text;
}
