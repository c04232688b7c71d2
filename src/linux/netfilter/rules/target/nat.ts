import { parseAddress, printAddress } from "../address-text.ts";
import { refuse } from "../error.ts";
import type { RuleHead } from "../match/extension.ts";
import { option, type ParsedOption, required } from "../match/extension.ts";
import { parsePort } from "../number-text.ts";
import { WALK_NAT } from "../verdict.ts";
import type {
  DnatTarget,
  MasqueradeTarget,
  NatRange,
  RedirectTarget,
  SnatTarget,
  TargetExtension,
} from "./target.ts";

interface Span {
  readonly min: number;
  readonly max: number;
}

const has = (options: readonly ParsedOption[], name: string): boolean => option(options, name) !== null;

function requirePorts(head: RuleHead, what: string): void {
  const portful = [1, 6, 17, 33, 132, 136];
  if (head.protocolNegated || !portful.includes(head.protocol)) {
    refuse(`${what}: need TCP, UDP, SCTP or DCCP with port specification`);
  }
}

function portSpan(text: string, what: string): Span {
  const dash = text.indexOf("-");
  const min = parsePort(dash < 0 ? text : text.slice(0, dash), what);
  const max = dash < 0 ? min : parsePort(text.slice(dash + 1), what);
  if (min > max) refuse(`${what}: port range "${text}" runs backwards`);
  return { min, max };
}

/** `[A[-B]][:P[-Q[/BASE]]]` (extensions/libxt_NAT.c: parse_to). */
function parseTo(
  text: string,
  head: RuleHead,
  what: string,
): Omit<NatRange, "random" | "randomFully" | "persistent"> {
  const colon = text.indexOf(":");
  const addressText = colon < 0 ? text : text.slice(0, colon);
  let ports: Span | null = null;
  let portBase: number | null = null;
  if (colon >= 0) {
    requirePorts(head, what);
    const [spanText, base] = text.slice(colon + 1).split("/");
    ports = portSpan(spanText!, what);
    if (base !== undefined) portBase = parsePort(base, what);
    if (portBase !== null && what !== "DNAT") refuse(`${what}: "${text}" has a base port`);
  }
  if (addressText === "") {
    if (ports === null) refuse(`${what}: "${text}" names neither address nor port`);
    return { addresses: null, ports, portBase };
  }
  const dash = addressText.indexOf("-");
  const min = parseAddress(dash < 0 ? addressText : addressText.slice(0, dash), what);
  const max = dash < 0 ? min : parseAddress(addressText.slice(dash + 1), what);
  if (min > max) refuse(`${what}: address range "${addressText}" runs backwards`);
  return { addresses: { min, max }, ports, portBase };
}

const printSpan = (span: Span): string => (span.min === span.max ? `${span.min}` : `${span.min}-${span.max}`);

function printTo(range: NatRange): string {
  let text = "";
  if (range.addresses !== null) {
    const { min, max } = range.addresses;
    text += min === max ? printAddress(min) : `${printAddress(min)}-${printAddress(max)}`;
  }
  if (range.ports !== null) text += `:${printSpan(range.ports)}`;
  return range.portBase === null ? text : `${text}/${range.portBase}`;
}

const printFlags = (t: { random: boolean; randomFully?: boolean; persistent?: boolean }): string =>
  (t.random ? " --random" : "") +
  (t.randomFully ? " --random-fully" : "") +
  (t.persistent ? " --persistent" : "");

/** `-j DNAT` (net/netfilter/xt_nat.c: xt_dnat_target_v2). */
export const dnat: TargetExtension<DnatTarget> = {
  name: "DNAT",
  options: { "to-destination": 1, random: 0, persistent: 0 },
  tables: ["nat"],
  code: WALK_NAT,
  parse: (options, head) => ({
    type: "DNAT",
    ...parseTo(required(options, "to-destination", "DNAT").values[0]!, head, "DNAT"),
    random: has(options, "random"),
    randomFully: false,
    persistent: has(options, "persistent"),
  }),
  print: (t) => ` --to-destination ${printTo(t)}${printFlags(t)}`,
  execute: null,
};

/** `-j SNAT` (net/netfilter/xt_nat.c: xt_snat_target_v2). */
export const snat: TargetExtension<SnatTarget> = {
  name: "SNAT",
  options: { "to-source": 1, random: 0, "random-fully": 0, persistent: 0 },
  tables: ["nat"],
  code: WALK_NAT,
  parse: (options, head) => ({
    type: "SNAT",
    ...parseTo(required(options, "to-source", "SNAT").values[0]!, head, "SNAT"),
    random: has(options, "random"),
    randomFully: has(options, "random-fully"),
    persistent: has(options, "persistent"),
  }),
  print: (t) => ` --to-source ${printTo(t)}${printFlags(t)}`,
  execute: null,
};

function toPorts(options: readonly ParsedOption[], head: RuleHead, what: string): Span | null {
  const o = option(options, "to-ports");
  if (o === null) return null;
  requirePorts(head, what);
  return portSpan(o.values[0]!, what);
}

/** `-j MASQUERADE` (net/netfilter/nf_nat_masquerade.c: nf_nat_masquerade_ipv4). */
export const masquerade: TargetExtension<MasqueradeTarget> = {
  name: "MASQUERADE",
  options: { "to-ports": 1, random: 0, "random-fully": 0 },
  tables: ["nat"],
  code: WALK_NAT,
  parse: (options, head) => ({
    type: "MASQUERADE",
    ports: toPorts(options, head, "MASQUERADE"),
    random: has(options, "random"),
    randomFully: has(options, "random-fully"),
  }),
  print: (t) => (t.ports === null ? "" : ` --to-ports ${printSpan(t.ports)}`) + printFlags(t),
  execute: null,
};

/** `-j REDIRECT` (net/netfilter/nf_nat_redirect.c: nf_nat_redirect_ipv4). */
export const redirect: TargetExtension<RedirectTarget> = {
  name: "REDIRECT",
  options: { "to-ports": 1, random: 0 },
  tables: ["nat"],
  code: WALK_NAT,
  parse: (options, head) => ({
    type: "REDIRECT",
    ports: toPorts(options, head, "REDIRECT"),
    random: has(options, "random"),
  }),
  print: (t) => (t.ports === null ? "" : ` --to-ports ${printSpan(t.ports)}`) + printFlags(t),
  execute: null,
};
