import {
  IPPROTO_TCP,
  type Packet,
  TCPOPT_MSS,
  TCPOPT_SACK_PERM,
  TCPOPT_TIMESTAMP,
  TCPOPT_WSCALE,
} from "../../../../packet/packet.ts";
import { refuse } from "../error.ts";
import { type PortRange, parseNumber, parsePortRange, portInRange, printPortRange } from "../number-text.ts";
import { type MatchExtension, not, option } from "./extension.ts";

export interface TcpMatch {
  readonly sport: PortRange | null;
  readonly dport: PortRange | null;
  readonly flags: { readonly mask: number; readonly set: number; readonly negated: boolean } | null;
  readonly tcpOption: { readonly kind: number; readonly negated: boolean } | null;
}

const FLAGS: readonly (readonly [string, number])[] = [
  ["FIN", 0x01],
  ["SYN", 0x02],
  ["RST", 0x04],
  ["PSH", 0x08],
  ["ACK", 0x10],
  ["URG", 0x20],
];

function parseFlags(text: string): number {
  let bits = 0;
  for (const word of text.split(",")) {
    const name = word.toUpperCase();
    const bit = name === "ALL" ? 0x3f : name === "NONE" ? 0 : FLAGS.find(([n]) => n === name)?.[1];
    if (bit === undefined) refuse(`tcp: unknown TCP flag "${word}"`);
    bits |= bit;
  }
  return bits;
}

function printFlags(bits: number): string {
  const names = FLAGS.filter(([, bit]) => bits & bit).map(([name]) => name);
  return names.length === 0 ? "NONE" : names.join(",");
}

/** Does the header carry the option of this kind? Bits stand for the options as Linux lays them out. */
function hasOption(p: Packet, kind: number): boolean {
  const bits = p.tcpOptions;
  switch (kind) {
    case 1: {
      // NOP pads the timestamp when SACK-permitted does not stand before it, and the window scale always
      const sackPermitted = (bits & TCPOPT_SACK_PERM) !== 0;
      const timestamp = (bits & TCPOPT_TIMESTAMP) !== 0;
      return (bits & TCPOPT_WSCALE) !== 0 || sackPermitted !== timestamp;
    }
    case 2:
      return (bits & TCPOPT_MSS) !== 0;
    case 3:
      return (bits & TCPOPT_WSCALE) !== 0;
    case 4:
      return (bits & TCPOPT_SACK_PERM) !== 0;
    case 8:
      return (bits & TCPOPT_TIMESTAMP) !== 0;
    default:
      return false;
  }
}

/** `-m tcp` (net/netfilter/xt_tcpudp.c: tcp_mt). */
export const tcp: MatchExtension<TcpMatch> = {
  name: "tcp",
  options: {
    "source-port": 1,
    sport: 1,
    "destination-port": 1,
    dport: 1,
    syn: 0,
    "tcp-flags": 2,
    "tcp-option": 1,
  },
  parse(options, head) {
    if (head.protocol !== IPPROTO_TCP || head.protocolNegated) refuse('tcp: needs "-p tcp"');
    const sport = option(options, "sport") ?? option(options, "source-port");
    const dport = option(options, "dport") ?? option(options, "destination-port");
    const syn = option(options, "syn");
    const flags = option(options, "tcp-flags");
    const tcpOption = option(options, "tcp-option");
    return {
      sport: sport && parsePortRange(sport.values[0]!, sport.negated, "tcp"),
      dport: dport && parsePortRange(dport.values[0]!, dport.negated, "tcp"),
      flags: syn
        ? { mask: 0x17, set: 0x02, negated: syn.negated }
        : flags && {
            mask: parseFlags(flags.values[0]!),
            set: parseFlags(flags.values[1]!),
            negated: flags.negated,
          },
      tcpOption: tcpOption && {
        kind: parseNumber(tcpOption.values[0]!, 255, "tcp", 1),
        negated: tcpOption.negated,
      },
    };
  },
  print(m) {
    let text = printPortRange("sport", m.sport) + printPortRange("dport", m.dport);
    if (m.tcpOption !== null) text += `${not(m.tcpOption.negated)} --tcp-option ${m.tcpOption.kind}`;
    if (m.flags !== null) {
      text += `${not(m.flags.negated)} --tcp-flags ${printFlags(m.flags.mask)} ${printFlags(m.flags.set)}`;
    }
    return text;
  },
  evaluate(m, skb, context) {
    const p = skb.packet;
    if (p.fragOffset !== 0) {
      // A second fragment that would overwrite the TCP flags is an attack
      if (p.fragOffset === 8) context.hotdrop = true;
      return false;
    }
    if (!portInRange(m.dport, p.dport) || !portInRange(m.sport, p.sport)) return false;
    if (m.flags !== null && ((p.tcpFlags & m.flags.mask) === m.flags.set) === m.flags.negated) return false;
    return m.tcpOption === null || hasOption(p, m.tcpOption.kind) !== m.tcpOption.negated;
  },
  newState: null,
  pure: true,
};
