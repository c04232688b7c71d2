import { type Endpoint, endpointsOnNode } from "../endpoints.ts";
import { blockContains, formatIpv4Block } from "../ipv4.ts";
import { type ServicePort, usesClusterEndpoints, usesLocalEndpoints } from "../service-port.ts";
import { type Traffic, trafficOf } from "../traffic.ts";
import { type NftPortNames, nftEndpointNames, nftPortNames } from "./names.ts";
import type { NftProxier } from "./proxier.ts";
import { type ContainerName, command } from "./top-level.ts";

/** One element of a set or verdict map. */
export interface NftElement {
  readonly container: ContainerName;
  readonly key: string;
  /** Null in a set. */
  readonly value: string | null;
  readonly comment: string | null;
}

/** Everything one Service port adds to the table, in the order in which kube-proxy writes it. */
export interface NftPortRules {
  readonly port: ServicePort;
  /** Chains, which are made (and emptied) first. */
  readonly chains: readonly string[];
  readonly elements: readonly NftElement[];
  /** Commands that make sets and rules. */
  readonly commands: readonly string[];
}

interface Context {
  readonly traffic: Traffic;
  readonly names: NftPortNames;
  readonly proxier: NftProxier;
}

/** The rules of one Service port on one node (pkg/proxy/nftables/proxier.go: syncProxyRules). */
export function nftPortRules(
  port: ServicePort,
  endpoints: readonly Endpoint[],
  proxier: NftProxier,
): NftPortRules {
  const traffic = trafficOf(port, endpointsOnNode(endpoints, proxier.nodeName), proxier);
  const context = { traffic, names: nftPortNames(port), proxier };
  return {
    port,
    chains: chainsOf(context),
    elements: elementsOf(context),
    commands: [
      ...internalRules(context),
      ...externalRules(context),
      ...firewallRules(context),
      ...affinitySets(context),
      ...policyRules(context),
      ...traffic.reachableEndpoints.flatMap((endpoint) => endpointRules(port, endpoint)),
    ],
  };
}

const usesFirewallChain = ({ port }: Traffic): boolean =>
  port.loadBalancerVIPs.length > 0 && port.loadBalancerSourceRanges.length > 0;

function policyChainsOf({
  traffic,
  names,
}: Context): { readonly chain: string; readonly endpoints: readonly Endpoint[] }[] {
  const { port, clusterEndpoints, localEndpoints } = traffic;
  return [
    ...(clusterEndpoints.length > 0 && usesClusterEndpoints(port)
      ? [{ chain: names.cluster, endpoints: clusterEndpoints }]
      : []),
    ...(localEndpoints.length > 0 && usesLocalEndpoints(port)
      ? [{ chain: names.local, endpoints: localEndpoints }]
      : []),
  ];
}

function chainsOf(context: Context): string[] {
  const { traffic, names } = context;
  return [
    ...traffic.reachableEndpoints.map((endpoint) => nftEndpointNames(traffic.port, endpoint).chain),
    ...policyChainsOf(context).map(({ chain }) => chain),
    ...(traffic.usesExternalChain ? [names.external] : []),
    ...(usesFirewallChain(traffic) ? [names.firewall] : []),
  ];
}

const internalChain = ({ traffic, names }: Context): string =>
  traffic.port.internalPolicyLocal ? names.local : names.cluster;

/** What the filter chains do with traffic that finds no endpoint: none anywhere, or none that the policy lets it have. */
const refusal = ({ hasEndpoints }: Traffic): string => (hasEndpoints ? "drop" : "goto reject-chain");

function elementsOf(context: Context): NftElement[] {
  const { traffic, names } = context;
  const { port } = traffic;
  const elements: NftElement[] = [];
  const add = (
    container: ContainerName,
    key: string,
    value: string | null,
    comment: string | null = null,
  ): void => void elements.push({ container, key, value, comment });
  const at = (address: string): string => `${address} . ${port.protocol} . ${port.port}`;
  const refuse = (container: ContainerName, key: string): void =>
    add(container, key, refusal(traffic), port.nameString);
  add("clusterIPs", port.clusterIP, null);
  if (traffic.hasInternalEndpoints) add("serviceIPs", at(port.clusterIP), `goto ${internalChain(context)}`);
  else refuse("noEndpointServices", at(port.clusterIP));
  for (const address of port.externalIPs) {
    if (traffic.hasEndpoints) add("serviceIPs", at(address), `goto ${names.external}`);
    if (!traffic.hasExternalEndpoints) refuse("noEndpointServices", at(address));
  }
  for (const address of port.loadBalancerVIPs) {
    if (traffic.hasEndpoints) add("serviceIPs", at(address), `goto ${names.external}`);
    if (usesFirewallChain(traffic)) add("firewallIPs", at(address), `goto ${names.firewall}`);
  }
  if (!traffic.hasExternalEndpoints)
    for (const address of port.loadBalancerVIPs) refuse("noEndpointServices", at(address));
  if (port.nodePort === 0) return elements;
  const key = `${port.protocol} . ${port.nodePort}`;
  if (traffic.hasEndpoints) add("serviceNodePorts", key, `goto ${names.external}`);
  if (!traffic.hasExternalEndpoints) refuse("noEndpointNodePorts", key);
  return elements;
}

const rule = (chain: string, text: string, comment?: string): string =>
  `${command("add", "rule")} ${chain} ${text}${comment === undefined ? "" : ` comment "${comment}"`}`;

const MASQUERADE = "jump mark-for-masquerade";

/** Traffic to the cluster IP that comes from no local pod is masqueraded. */
function internalRules(context: Context): string[] {
  const { traffic, proxier } = context;
  if (!traffic.hasInternalEndpoints) return [];
  const { port } = traffic;
  const head = `ip daddr ${port.clusterIP} ${port.protocol} dport ${port.port}`;
  const chain = internalChain(context);
  if (proxier.masqueradeAll) return [rule(chain, `${head} ${MASQUERADE}`)];
  const detector = proxier.nftLocalDetector;
  return detector === undefined ? [] : [rule(chain, `${head} ${detector.ifNotLocal} ${MASQUERADE}`)];
}

/** Traffic to NodePorts, external and load-balancer addresses. */
function externalRules({ traffic, names, proxier }: Context): string[] {
  if (!traffic.usesExternalChain) return [];
  const { external, cluster, local } = names;
  const { externalPolicyLocal } = traffic.port;
  const rules: string[] = [];
  if (!externalPolicyLocal) rules.push(rule(external, MASQUERADE));
  else {
    const detector = proxier.nftLocalDetector;
    if (detector !== undefined)
      rules.push(rule(external, `${detector.ifLocal} goto ${cluster}`, "short-circuit pod traffic"));
    rules.push(
      rule(external, `fib saddr type local ${MASQUERADE}`, "masquerade local traffic"),
      rule(external, `fib saddr type local goto ${cluster}`, "short-circuit local traffic"),
    );
  }
  if (traffic.hasExternalEndpoints)
    rules.push(rule(external, `goto ${externalPolicyLocal ? local : cluster}`));
  return rules;
}

function firewallRules({ traffic, names, proxier }: Context): string[] {
  if (!usesFirewallChain(traffic)) return [];
  const { loadBalancerSourceRanges: ranges, loadBalancerVIPs } = traffic.port;
  const allowFromNode = ranges.some((range) => blockContains(range, proxier.nodeIP));
  const sources = [...ranges.map(formatIpv4Block), ...(allowFromNode ? loadBalancerVIPs : [])];
  return [rule(names.firewall, `ip saddr != { ${sources.join(" , ")} } drop`)];
}

function affinitySets({ traffic }: Context): string[] {
  const { port, reachableEndpoints } = traffic;
  if (port.sessionAffinity !== "ClientIP") return [];
  return reachableEndpoints.map((endpoint) => {
    const { affinitySet } = nftEndpointNames(port, endpoint);
    return `${command("add", "set")} ${affinitySet} { type ipv4_addr ; flags dynamic,timeout ; timeout ${port.stickyMaxAgeSeconds}s ; }`;
  });
}

/** Clients that stick to an endpoint, then one look-up by a random number. */
function policyRules(context: Context): string[] {
  const { port } = context.traffic;
  return policyChainsOf(context).flatMap(({ chain, endpoints }) => {
    const names = endpoints.map((endpoint) => nftEndpointNames(port, endpoint));
    const sticky =
      port.sessionAffinity !== "ClientIP"
        ? []
        : names.map((one) => rule(chain, `ip saddr @${one.affinitySet} goto ${one.chain}`));
    const elements = names.map((one, i) => `${i} : goto ${one.chain}`).join(" , ");
    return [...sticky, rule(chain, `numgen random mod ${names.length} vmap { ${elements} }`)];
  });
}

/** A pod that reaches itself is masqueraded; a sticking client is remembered; then the translation. */
function endpointRules(port: ServicePort, endpoint: Endpoint): string[] {
  const { chain, affinitySet } = nftEndpointNames(port, endpoint);
  return [
    rule(chain, `ip saddr ${endpoint.ip} ${MASQUERADE}`),
    ...(port.sessionAffinity === "ClientIP" ? [rule(chain, `update @${affinitySet} { ip saddr }`)] : []),
    rule(chain, `meta l4proto ${port.protocol} dnat to ${endpoint.text}`),
  ];
}
