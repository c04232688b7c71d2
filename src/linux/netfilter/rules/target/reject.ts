import { IPPROTO_TCP } from "../../../../packet/packet.ts";
import { refuse } from "../error.ts";
import { option } from "../match/extension.ts";
import { WALK_REJECT } from "../verdict.ts";
import type { RejectTarget, RejectWith, TargetExtension } from "./target.ts";

/** Kinds of answers and the short names iptables takes for them (extensions/libipt_REJECT.c: reject_table). */
const KINDS: readonly (readonly [RejectWith, string])[] = [
  ["icmp-net-unreachable", "net-unreach"],
  ["icmp-host-unreachable", "host-unreach"],
  ["icmp-proto-unreachable", "proto-unreach"],
  ["icmp-port-unreachable", "port-unreach"],
  ["icmp-net-prohibited", "net-prohib"],
  ["icmp-host-prohibited", "host-prohib"],
  ["tcp-reset", "tcp-rst"],
  ["icmp-admin-prohibited", "admin-prohib"],
];

/** `-j REJECT` (net/ipv4/netfilter/ipt_REJECT.c: reject_tg). */
export const reject: TargetExtension<RejectTarget> = {
  name: "REJECT",
  options: { "reject-with": 1 },
  tables: ["filter"],
  code: WALK_REJECT,
  parse(options, head) {
    const text = option(options, "reject-with")?.values[0]?.toLowerCase() ?? "icmp-port-unreachable";
    const kind = KINDS.find(([name, short]) => name.startsWith(text) || short.startsWith(text))?.[0];
    if (kind === undefined || text === "") return refuse(`REJECT: unknown reject type "${text}"`);
    if (kind === "tcp-reset" && (head.protocol !== IPPROTO_TCP || head.protocolNegated)) {
      refuse('REJECT: tcp-reset needs "-p tcp"');
    }
    return { type: "REJECT", with: kind };
  },
  print: (t) => ` --reject-with ${t.with}`,
  execute: null,
};
