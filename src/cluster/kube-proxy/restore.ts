import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { forwardChain } from "./chains/forward-chain.ts";
import { kubeFirewallChain } from "./chains/kube-firewall-chain.ts";
import { nodePortsJump } from "./chains/node-ports-jump.ts";
import { markMasqChain, postroutingChain } from "./chains/postrouting-chain.ts";
import { chainLine } from "./chains/text.ts";
import { FILTER_CHAINS, KUBE_FIREWALL, NAT_CHAINS } from "./chains/top-level.ts";
import type { KubeProxyConfiguration } from "./configuration.ts";
import type { ProxyNode } from "./node.ts";
import { type Proxier, proxier } from "./proxier.ts";
import { endpointsOf, type ProxyState, proxyState } from "./proxy-state.ts";
import { type ServicePortRules, servicePortRules } from "./service-port-rules.ts";
import { portRulesOf, type SharedServicePortRules, verbosityOf } from "./shared-rules.ts";

/** What {@link formatRestore} reads of a Service port's rules. */
export type PortRules = Pick<ServicePortRules, "filterRules" | "natChains" | "natRules">;

/** A node's rules that stand before and after those of the Service ports in each table, and the chains of them all. */
export interface Frame {
  readonly filterChains: readonly string[];
  readonly filterBefore: readonly string[];
  readonly filterAfter: readonly string[];
  readonly natChains: readonly string[];
  readonly natBefore: readonly string[];
  readonly natAfter: readonly string[];
}

/** A node's rules by who they are for. */
export interface RuleSet<Rules extends PortRules = ServicePortRules> extends Frame {
  /** In the order of namespace, name and port name. */
  readonly servicePorts: readonly Rules[];
}

/** What kube-proxy is told: objects in any order, its node and its configuration. */
export interface RestoreInput {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly node: ProxyNode;
  readonly config: KubeProxyConfiguration;
}

/** What a node's rules have whatever Services there are. */
export function frameOf(node: Proxier): Frame {
  const firewall = kubeFirewallChain(node);
  return {
    filterChains: firewall.length > 0 ? [...FILTER_CHAINS, KUBE_FIREWALL] : FILTER_CHAINS,
    filterBefore: firewall,
    filterAfter: forwardChain(node),
    natChains: NAT_CHAINS,
    natBefore: [...postroutingChain(node), ...markMasqChain(node)],
    natAfter: nodePortsJump(node),
  };
}

/**
 * The rules of a node's first full sync.
 *
 * @param shared the state's, where several nodes of one cluster are wanted.
 */
export function generateRuleSet(
  state: ProxyState,
  node: Proxier,
  shared: SharedServicePortRules | null = null,
): RuleSet {
  const verbosity = verbosityOf(state);
  const servicePorts =
    shared === null
      ? state.servicePorts.map((port) => servicePortRules(port, endpointsOf(state, port), node, verbosity))
      : portRulesOf(shared.of(node));
  return { ...frameOf(node), servicePorts };
}

/** The bytes that kube-proxy hands to `iptables-restore --noflush --counters`. */
export function formatRestore(rules: RuleSet<PortRules>): string {
  const lines = ["*filter", ...rules.filterChains.map(chainLine), ...rules.filterBefore];
  for (const { filterRules } of rules.servicePorts) for (const rule of filterRules) lines.push(rule);
  lines.push(...rules.filterAfter, "COMMIT", "*nat", ...rules.natChains.map(chainLine));
  for (const { natChains } of rules.servicePorts) for (const chain of natChains) lines.push(chainLine(chain));
  lines.push(...rules.natBefore);
  for (const { natRules } of rules.servicePorts) for (const rule of natRules) lines.push(rule);
  lines.push(...rules.natAfter, "COMMIT", "");
  return lines.join("\n");
}

/**
 * What kube-proxy 1.32, iptables mode, IPv4, on this node hands to iptables-restore at its first sync. kube-proxy
 * walks its Services in no particular order; here it is namespace, name, port name, whatever the input's order.
 */
export function generateRestore({ services, endpointSlices, node, config }: RestoreInput): string {
  return formatRestore(generateRuleSet(proxyState(services, endpointSlices), proxier(config, node)));
}
