import { endpointsOf, type ProxyState } from "../proxy-state.ts";
import type { NftProxier } from "./proxier.ts";
import { type NftElement, type NftPortRules, nftPortRules } from "./service-port-rules.ts";
import { CONTAINERS, command, setupCommands } from "./top-level.ts";

/** The rules of all Service ports on one node, in the order of namespace, name and port name. */
export const nftRules = (state: ProxyState, proxier: NftProxier): readonly NftPortRules[] =>
  state.servicePorts.map((port) => nftPortRules(port, endpointsOf(state, port), proxier));

/** What kube-proxy 1.32, nftables mode, hands to `nft -f -` at its first sync. */
export function fullNftSync(ports: readonly NftPortRules[], proxier: NftProxier): string {
  const lines = setupCommands(proxier);
  const held = new Set<string>();
  for (const port of ports) {
    for (const chain of port.chains) lines.push(...ensureChain(chain));
    for (const element of port.elements) {
      // two ports of a Service have one cluster IP
      const key = `${element.container} ${element.key}`;
      if (!held.has(key)) lines.push(elementCommand("add", element));
      held.add(key);
    }
    for (const line of port.commands) lines.push(line);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * What it hands over when some Services or their endpoints have changed: those Services' chains anew, elements that
 * came, went or lead elsewhere, and chains that nothing leads to any more, which are emptied now and deleted later.
 */
export function partialNftSync(before: readonly NftPortRules[], after: readonly NftPortRules[]): string {
  const old = new Map(before.map((port) => [port.port.nameString + port.port.protocol, port]));
  const lines: string[] = [];
  const needed = new Set<string>();
  const elements = new Map<string, NftElement>();
  for (const port of before) for (const element of port.elements) elements.set(elementKey(element), element);
  const left = new Set(elements.keys());
  for (const port of after) {
    const same = old.get(port.port.nameString + port.port.protocol);
    const changed = same === undefined || !isEqual(same, port);
    for (const chain of port.chains) {
      needed.add(chain);
      if (changed) lines.push(...ensureChain(chain));
    }
    for (const element of port.elements) {
      const key = elementKey(element);
      const present = elements.get(key);
      if (present !== undefined && present.value !== element.value)
        lines.push(elementCommand("delete", element));
      if (present?.value !== element.value) lines.push(elementCommand("add", element));
      left.delete(key);
    }
    if (changed) for (const line of port.commands) lines.push(line);
  }
  for (const port of before)
    for (const chain of port.chains)
      if (!needed.has(chain)) lines.push(`${command("flush", "chain")} ${chain}`);
  for (const key of left) lines.push(elementCommand("delete", { ...elements.get(key)!, value: null }));
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/**
 * Commands that put other rules of some Service ports in the place of those that are there, at once: chains, sets and
 * elements that the new rules do not have go too.
 */
export function nftPortsSync(changes: readonly (readonly [NftPortRules, NftPortRules])[]): string[] {
  const lines: string[] = [];
  const gone: string[] = [];
  for (const [before, after] of changes) {
    const wanted = new Map(after.elements.map((element) => [elementKey(element), element.value]));
    const held = new Map(before.elements.map((element) => [elementKey(element), element.value]));
    for (const element of before.elements)
      if (wanted.get(elementKey(element)) !== element.value) lines.push(elementCommand("delete", element));
    for (const chain of before.chains) lines.push(`${command("flush", "chain")} ${chain}`);
    for (const chain of after.chains) lines.push(...ensureChain(chain));
    for (const element of after.elements)
      if (held.get(elementKey(element)) !== element.value) lines.push(elementCommand("add", element));
    for (const line of after.commands) lines.push(line);
    const kept = new Set([...after.chains, ...setsOf(after)]);
    for (const chain of before.chains)
      if (!kept.has(chain)) gone.push(`${command("delete", "chain")} ${chain}`);
    for (const set of setsOf(before)) if (!kept.has(set)) gone.push(`${command("delete", "set")} ${set}`);
  }
  return [...lines, ...gone];
}

const ADD_SET = `${command("add", "set")} `;

/** Names of the sets that a Service port's commands make. */
const setsOf = ({ commands }: NftPortRules): string[] =>
  commands
    .filter((line) => line.startsWith(ADD_SET))
    .map((line) => line.slice(ADD_SET.length, line.indexOf(" ", ADD_SET.length)));

const ensureChain = (chain: string): string[] => [
  `${command("add", "chain")} ${chain}`,
  `${command("flush", "chain")} ${chain}`,
];

const elementKey = ({ container, key }: NftElement): string => `${container} ${key}`;

/** `add element ip kube-proxy service-ips { 172.30.0.41 . tcp . 80 : goto service-… }` (knftables: Element.writeOperation). */
function elementCommand(verb: "add" | "delete", { container, key, value, comment }: NftElement): string {
  const said = comment === null || verb === "delete" ? "" : ` comment "${comment}"`;
  return `${command(verb, "element")} ${CONTAINERS[container].name} { ${key}${said}${value === null ? "" : ` : ${value}`} }`;
}

function isEqual(a: NftPortRules, b: NftPortRules): boolean {
  return a === b || (a.chains.join() === b.chains.join() && a.commands.join() === b.commands.join());
}
