import { IPPROTO_TCP, TCPOPT_MSS } from "../../../../packet/packet.ts";
import type { Skb } from "../../../skb.ts";
import type { RuleContext } from "../context.ts";
import { refuse } from "../error.ts";
import { option, type RuleHead } from "../match/extension.ts";
import { hex2, parseNumber } from "../number-text.ts";
import { parseDscpClass, parseTos } from "../tos-text.ts";
import { TARGET_CONTINUE, TARGET_EXECUTE, type TargetOutcome, WALK_DROP } from "../verdict.ts";
import type { TargetExtension } from "./target.ts";

/** Null clamps to the path's MTU. */
export interface TcpmssTarget {
  readonly mss: number | null;
}

function mangleMss(t: TcpmssTarget, skb: Skb, context: RuleContext): TargetOutcome {
  const p = skb.packet;
  if (p.fragOffset !== 0) return TARGET_CONTINUE;
  let mss = t.mss ?? 0;
  if (t.mss === null) {
    const mtu = Math.min(context.host.routeMtu(skb), context.host.mtuTo(p.src));
    if (mtu <= 40) return WALK_DROP;
    mss = (mtu - 40) & 0xffff;
  }
  if (p.tcpOptions & TCPOPT_MSS) {
    if (p.mss > mss) p.mss = mss;
  } else if (p.payloadLength === 0) {
    p.tcpOptions |= TCPOPT_MSS;
    // A sender without the option can take 536 bytes (RFC 1122)
    p.mss = Math.min(mss, 536);
  }
  return TARGET_CONTINUE;
}

/** `-j TCPMSS` (net/netfilter/xt_TCPMSS.c: tcpmss_tg4); never raises what a SYN says. */
export const tcpmss: TargetExtension<TcpmssTarget> = {
  name: "TCPMSS",
  options: { "set-mss": 1, "clamp-mss-to-pmtu": 0 },
  tables: null,
  code: TARGET_EXECUTE,
  parse(options, head) {
    if (head.protocol !== IPPROTO_TCP || head.protocolNegated) refuse('TCPMSS: needs "-p tcp"');
    const set = option(options, "set-mss");
    const clamp = option(options, "clamp-mss-to-pmtu");
    if ((set === null) === (clamp === null)) {
      refuse("TCPMSS: one of --set-mss and --clamp-mss-to-pmtu must be given");
    }
    return { mss: set === null ? null : parseNumber(set.values[0]!, 0xffff - 40, "TCPMSS --set-mss") };
  },
  print: (t) => (t.mss === null ? " --clamp-mss-to-pmtu" : ` --set-mss ${t.mss}`),
  execute: mangleMss,
};

export interface TtlTarget {
  readonly mode: "set" | "inc" | "dec";
  readonly ttl: number;
}

/** `-j TTL` (net/netfilter/xt_HL.c: ttl_tg). */
export const ttl: TargetExtension<TtlTarget> = {
  name: "TTL",
  options: { "ttl-set": 1, "ttl-inc": 1, "ttl-dec": 1 },
  tables: ["mangle"],
  code: TARGET_EXECUTE,
  parse(options) {
    const o = options[0];
    if (o === undefined || options.length > 1) return refuse("TTL: exactly one of its options must be given");
    const mode = o.name.slice(4) as TtlTarget["mode"];
    return { mode, ttl: parseNumber(o.values[0]!, 255, `TTL --${o.name}`, mode === "set" ? 0 : 1) };
  },
  print: (t) => ` --ttl-${t.mode} ${t.ttl}`,
  execute(t, skb) {
    const p = skb.packet;
    if (t.mode === "set") p.ttl = t.ttl;
    else if (t.mode === "inc") p.ttl = Math.min(255, p.ttl + t.ttl);
    else p.ttl = Math.max(0, p.ttl - t.ttl);
    return TARGET_CONTINUE;
  },
};

/** `-j DSCP` (net/netfilter/xt_DSCP.c: dscp_tg). */
export const dscp: TargetExtension<{ readonly dscp: number }> = {
  name: "DSCP",
  options: { "set-dscp": 1, "set-dscp-class": 1 },
  tables: ["mangle"],
  code: TARGET_EXECUTE,
  parse(options) {
    const o = options[0];
    if (o === undefined || options.length > 1)
      return refuse("DSCP: exactly one of its options must be given");
    const text = o.values[0]!;
    return { dscp: o.name === "set-dscp" ? parseNumber(text, 63, "DSCP") : parseDscpClass(text, "DSCP") };
  },
  print: (t) => ` --set-dscp ${hex2(t.dscp)}`,
  execute(t, skb) {
    skb.packet.tos = (skb.packet.tos & 3) | (t.dscp << 2);
    return TARGET_CONTINUE;
  },
};

export interface TosTarget {
  readonly value: number;
  readonly mask: number;
}

/** `-j TOS` (net/netfilter/xt_DSCP.c: tos_tg): `tos = (tos & ~mask) ^ value`. */
export const tos: TargetExtension<TosTarget> = {
  name: "TOS",
  options: { "set-tos": 1, "and-tos": 1, "or-tos": 1, "xor-tos": 1 },
  tables: ["mangle"],
  code: TARGET_EXECUTE,
  parse(options) {
    const o = options[0];
    if (o === undefined || options.length > 1) return refuse("TOS: exactly one of its options must be given");
    const text = o.values[0]!;
    if (o.name === "set-tos") return parseTos(text, "TOS");
    const bits = parseNumber(text, 255, `TOS --${o.name}`);
    if (o.name === "and-tos") return { value: 0, mask: ~bits & 255 };
    return { value: bits, mask: o.name === "or-tos" ? bits : 0 };
  },
  print: (t) => ` --set-tos ${hex2(t.value)}/${hex2(t.mask)}`,
  execute(t, skb) {
    skb.packet.tos = (skb.packet.tos & ~t.mask & 255) ^ t.value;
    return TARGET_CONTINUE;
  },
};

function requireFill(head: RuleHead, filled: boolean): null {
  if (!filled) refuse("CHECKSUM: --checksum-fill must be given");
  if (head.protocolNegated) refuse("CHECKSUM: the protocol cannot be negated");
  return null;
}

/** `-j CHECKSUM --checksum-fill`: checksums are always right here (net/netfilter/xt_CHECKSUM.c). */
export const checksum: TargetExtension<null> = {
  name: "CHECKSUM",
  options: { "checksum-fill": 0 },
  tables: ["mangle"],
  code: TARGET_EXECUTE,
  parse: (options, head) => requireFill(head, options.length > 0),
  print: () => " --checksum-fill",
  execute: () => TARGET_CONTINUE,
};

/** `-j TRACE`: the walk is recorded in any case (net/netfilter/xt_TRACE.c). */
export const trace: TargetExtension<null> = {
  name: "TRACE",
  options: {},
  tables: ["raw"],
  code: TARGET_EXECUTE,
  parse: () => null,
  print: () => "",
  execute: () => TARGET_CONTINUE,
};
