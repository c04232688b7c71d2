/** `iptables -L`: tables as iptables 1.4 to 1.8.8 print them (iptables.c: print_header, print_firewall). */

import { orderedChains } from "../../linux/netfilter/iptables-save/write.ts";
import { printMasked } from "../../linux/netfilter/rules/address-text.ts";
import { printInterface } from "../../linux/netfilter/rules/interface-name.ts";
import type { IpHeader } from "../../linux/netfilter/rules/ip-header.ts";
import { printProtocol } from "../../linux/netfilter/rules/protocol.ts";
import { BUILT_IN_CHAINS, type Chain, type Rule, type Table } from "../../linux/netfilter/rules/rule-set.ts";
import type { Netns } from "../../linux/netns.ts";
import { ruleWords } from "./rule-words.ts";

/** `-n`, `-v`, `-x`, `--line-numbers`. */
export interface ListOptions {
  readonly numeric: boolean;
  readonly verbose: boolean;
  readonly exact: boolean;
  readonly numbers: boolean;
}

/** The chains of a table, or one of them; null when there is no such chain. */
export function listRules(
  netns: Netns,
  table: string,
  chain: string | null,
  options: ListOptions,
): string | null {
  const { tables } = netns.netfilter.ruleSet;
  const found = tables.find(({ name }) => name === table) ?? emptyTable(table);
  const chains = orderedChains(found).filter(({ name }) => chain === null || name === chain);
  if (chains.length === 0) return null;
  return chains.map((one) => chainText(netns, found, one, options)).join("\n");
}

function emptyTable(name: string): Table {
  const chains = (BUILT_IN_CHAINS[name] ?? []).map((chain): [string, Chain] => [
    chain,
    { name: chain, policy: "ACCEPT", rules: [], counters: null },
  ]);
  return { name, chains: new Map(chains), flushed: new Set() };
}

function chainText(netns: Netns, table: Table, chain: Chain, options: ListOptions): string {
  const counters = (n: number) => netns.netfilter.state.counters(table.name, chain.name, n);
  const rules = chain.rules.map((rule, i) => ruleText(rule, i + 1, counters(i + 1), options));
  return `Chain ${chain.name} (${stateText(table, chain, counters(0), options)})\n${header(options)}\n${rules.join("")}`;
}

function stateText(
  table: Table,
  { name, policy }: Chain,
  [packets, bytes]: [number, number],
  options: ListOptions,
): string {
  if (policy === null) {
    const uses = [...table.chains.values()]
      .flatMap(({ rules }) => rules)
      .filter(({ target }) => target.name === name);
    return `${uses.length} references`;
  }
  if (!options.verbose) return `policy ${policy}`;
  return `policy ${policy} ${count(packets, options, 0).trim()} packets, ${count(bytes, options, 0).trim()} bytes`;
}

function header({ verbose, exact, numbers }: ListOptions): string {
  const counters = exact ? "    pkts      bytes " : " pkts bytes ";
  return `${numbers ? "num  " : ""}${verbose ? counters : ""}target     prot opt ${verbose ? "in     out     " : ""}source               destination         `;
}

/** `xtables_print_num`: at most five digits, then K, M, G, T. */
function count(value: number, { exact }: ListOptions, width = 5): string {
  if (exact) return `${String(value).padStart(width === 0 ? 0 : 8)} `;
  if (value <= 99_999) return `${String(value).padStart(width)} `;
  let rest = value;
  for (const unit of ["K", "M", "G"]) {
    rest = Math.floor((rest + 500) / 1000);
    if (rest <= 9999) return `${String(rest).padStart(Math.max(0, width - 1))}${unit} `;
  }
  return `${String(Math.floor((rest + 500) / 1000)).padStart(Math.max(0, width - 1))}T `;
}

function ruleText(rule: Rule, n: number, [packets, bytes]: [number, number], options: ListOptions): string {
  const { ip } = rule;
  const number = options.numbers ? `${String(n).padEnd(4)} ` : "";
  const counters = options.verbose ? count(packets, options) + count(bytes, options) : "";
  const protocol = ip.protocol === 0 ? "all" : printProtocol(ip.protocol);
  const devices = options.verbose ? `${device(ip.in)} ${device(ip.out)} ` : "";
  return (
    `${number}${counters}${rule.target.name.padEnd(9)}  ${(ip.protocolNegated ? "!" : "") + protocol.padEnd(4)} ${fragmentWord(ip)}  ` +
    `${devices}${address(ip.src, ip.srcMask, ip.srcNegated, options)} ${address(ip.dst, ip.dstMask, ip.dstNegated, options)} ` +
    `${ruleWords(rule)}\n`
  );
}

const fragmentWord = ({ fragment }: IpHeader): string =>
  fragment === null ? "--" : fragment === "only" ? "-f" : "!f";

const device = (pattern: IpHeader["in"]): string =>
  (pattern === null ? "*" : `${pattern.negated ? "!" : ""}${printInterface(pattern)}`).padEnd(6);

function address(base: number, mask: number, negated: boolean, { numeric }: ListOptions): string {
  const text =
    mask === 0
      ? numeric
        ? "0.0.0.0/0"
        : "anywhere"
      : printMasked({ address: base, mask }).replace(/\/32$/, "");
  return `${negated ? "!" : " "}${text.padEnd(19)}`;
}
