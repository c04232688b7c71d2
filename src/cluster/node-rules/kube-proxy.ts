import type { RuleSet } from "../../linux/netfilter/rules/rule-set.ts";
import type { Netns } from "../../linux/netns.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { completeKubeProxyConfiguration, type KubeProxyConfiguration } from "../kube-proxy/configuration.ts";
import { nodeIPv4, type ProxyNode, proxyNode } from "../kube-proxy/node.ts";
import { type Proxier, proxier as proxier132 } from "../kube-proxy/proxier.ts";
import { type ProxyState, proxyState as proxyState132 } from "../kube-proxy/proxy-state.ts";
import { formatRestore, generateRuleSet as generateRuleSet132 } from "../kube-proxy/restore.ts";
import {
  CANARY_TABLES,
  JUMPS as JUMPS_132,
  type Jump,
  KUBE_PROXY_CANARY,
  kubeProxySysctls,
} from "../kube-proxy/setup.ts";
import { type SharedServicePortRules, sharedServicePortRules } from "../kube-proxy/shared-rules.ts";
import {
  generateRuleSet as generateRuleSet17,
  type ProxyState as ProxyState17,
  proxier as proxier17,
  proxyState as proxyState17,
} from "../kube-proxy/v1.7/restore.ts";
import { JUMPS as JUMPS_17, SYSCTLS as SYSCTLS_17 } from "../kube-proxy/v1.7/setup.ts";
import type { ClusterModel, NodeModel } from "../objects/model.ts";
import type { RuleCommand } from "./command.ts";
import { SharedNftables } from "./shared-nftables.ts";

/** The cluster's Services and endpoints as its kube-proxies hold them: made once, shared by all nodes. */
export type ServiceState =
  | {
      readonly version: "1.32";
      readonly state: ProxyState;
      readonly shared: SharedServicePortRules;
      readonly nftables: SharedNftables;
    }
  | { readonly version: "1.7"; readonly state: ProxyState17 };

/** Takes in a cluster's Services and EndpointSlices for the release whose kube-proxy it has. */
export function serviceState({ kubeProxy, services, endpointSlices }: ClusterModel): ServiceState {
  switch (kubeProxy.version) {
    case "1.32": {
      const state = proxyState132(services, endpointSlices);
      return {
        version: "1.32",
        state,
        shared: sharedServicePortRules(state),
        nftables: new SharedNftables(state),
      };
    }
    case "1.7":
      return { version: "1.7", state: proxyState17(services, endpointSlices) };
  }
}

const configurations = new WeakMap<ClusterModel["kubeProxy"], KubeProxyConfiguration>();

/** kube-proxy's configuration with its own defaults where the topology is silent. */
export function kubeProxyConfiguration({ kubeProxy }: ClusterModel): KubeProxyConfiguration {
  let configuration = configurations.get(kubeProxy);
  if (configuration === undefined) {
    configuration = completeKubeProxyConfiguration(kubeProxy.configuration);
    configurations.set(kubeProxy, configuration);
  }
  return configuration;
}

/** A node as its kube-proxy sees it: the Node object, and what the node's kernel tells of interfaces and sysctls. */
export function proxyNodeOf(model: ClusterModel, node: NodeModel, netns: Netns): ProxyNode {
  const addresses = [...netns.devices.values()].flatMap((dev) =>
    dev.addresses.map(({ local }) => formatIpv4(local)),
  );
  return proxyNode(node.kubernetes, addresses, {
    nodeIP: nodeIPv4(node.kubernetes, kubeProxyConfiguration(model).bindAddress),
    nfacct: model.kubeProxy.nfacct,
    conntrackTcpBeLiberal: netns.sysctl.scalar["net.netfilter.nf_conntrack_tcp_be_liberal"] !== 0,
  });
}

/** What a node and its configuration contribute to the rules of kube-proxy 1.32. */
export const proxierOf = (model: ClusterModel, node: NodeModel, netns: Netns): Proxier =>
  proxier132(kubeProxyConfiguration(model), proxyNodeOf(model, node, netns));

/** What kube-proxy on this node hands to `iptables-restore --noflush --counters` at a full sync, byte for byte. */
export function kubeProxyRestore(
  model: ClusterModel,
  services: ServiceState,
  node: NodeModel,
  netns: Netns,
): string {
  switch (services.version) {
    case "1.32":
      return formatRestore(
        generateRuleSet132(services.state, proxierOf(model, node, netns), services.shared),
      );
    case "1.7": {
      const config = kubeProxyConfiguration(model);
      const own = proxyNodeOf(model, node, netns);
      return formatRestore(generateRuleSet17(services.state, proxier17({ node: own, config })));
    }
  }
}

/** CPUs of a node as far as kube-proxy's limit of connections goes: its minimum decides up to four. */
const CORES = 4;

/** The sysctls kube-proxy writes at its start. */
export function proxySysctls(
  model: ClusterModel,
  node: NodeModel,
  netns: Netns,
): Readonly<Record<string, number>> {
  if (model.kubeProxy.version === "1.7") return SYSCTLS_17;
  return kubeProxySysctls(kubeProxyConfiguration(model), proxierOf(model, node, netns), CORES);
}

/**
 * What kube-proxy does before its restore: it makes the chains it jumps to, and puts each jump at the head of its chain
 * unless the chain holds it. Its canaries come with 1.32.
 *
 * @param rules the node's rules so far.
 */
export function kubeProxyJumps(version: "1.32" | "1.7", rules: RuleSet): RuleCommand[] {
  const jumps: readonly Jump[] = version === "1.7" ? JUMPS_17 : JUMPS_132;
  const canaries = CANARY_TABLES.map((table) => ({ table, chain: KUBE_PROXY_CANARY }));
  return ensureJumps(jumps, version === "1.32" ? canaries : [], rules);
}

/** Makes the chains that are missing, and puts each jump at the head of its chain unless the chain holds it. */
export function ensureJumps(
  jumps: readonly Jump[],
  others: readonly { readonly table: Jump["table"]; readonly chain: string }[],
  rules: RuleSet,
): RuleCommand[] {
  const chains = [...jumps.map(({ table, to }) => ({ table, chain: to })), ...others];
  const missing = new Map(
    chains
      .filter(({ table, chain }) => chainOf(rules, table, chain) === undefined)
      .map(({ table, chain }) => [`${table} ${chain}`, { table, line: `-N ${chain}` }]),
  );
  const inserted = jumps
    .filter(({ table, from, rule }) => !chainOf(rules, table, from)?.rules.some(({ text }) => text === rule))
    .map(({ table, from, rule }) => ({ table, line: `-I ${from} ${rule}` }));
  return [...missing.values(), ...inserted];
}

const chainOf = (rules: RuleSet, table: string, chain: string) =>
  rules.tables.find(({ name }) => name === table)?.chains.get(chain);

/** Chains of single Services and endpoints, which kube-proxy takes away when nothing needs them any more. */
const SERVICE_CHAIN = /^KUBE-(SVC|SVL|SEP|FW|EXT|XLB)-/;

/**
 * The chains of Services that are gone: kube-proxy empties and deletes them in the restore that drops the last rule
 * that leads there (pkg/proxy/iptables/proxier.go: syncProxyRules, "Delete chains no longer in use").
 *
 * @param restore the restore that has been applied.
 */
export function staleServiceChains(rules: RuleSet, restore: string): RuleCommand[] {
  const needed = new Set([...restore.matchAll(/^:(\S+)/gm)].map(([, chain]) => chain));
  const nat = rules.tables.find(({ name }) => name === "nat");
  const stale = [...(nat?.chains.keys() ?? [])].filter(
    (chain) => SERVICE_CHAIN.test(chain) && !needed.has(chain),
  );
  return [
    ...stale.map((chain) => ({ table: "nat" as const, line: `-F ${chain}` })),
    ...stale.map((chain) => ({ table: "nat" as const, line: `-X ${chain}` })),
  ];
}
