/** The rules of one Service port as kube-proxy 1.7 wrote them (pkg/proxy/iptables/proxier.go: syncProxyRules). */
import { comment, destination } from "../chains/text.ts";
import { KUBE_MARK_MASQ, KUBE_NODEPORTS, KUBE_SERVICES } from "../chains/top-level.ts";
import { blockContains, parseIpv4Block } from "../ipv4.ts";
import { endpointChainName } from "../names.ts";
import type { Endpoint } from "./endpoints.ts";
import type { ServicePort } from "./service-port.ts";

/** kubelet's chain; packets that no rule of KUBE-FW or KUBE-XLB lets on are marked there and dropped in filter. */
const KUBE_MARK_DROP = "KUBE-MARK-DROP";

/** 1.7 knows one affinity time: 180 minutes. */
const STICKY_MAX_AGE_SECONDS = 180 * 60;

/** What a node and its configuration contribute. */
export interface Proxier {
  readonly nodeName: string;
  /** Unsigned 32-bit. */
  readonly nodeIP: number;
  /** `mark/mask`, eight digits each. */
  readonly masqueradeMark: string;
  readonly masqueradeAll: boolean;
  /** Empty: none. */
  readonly clusterCIDR: string;
}

/** Everything that one Service port adds to the tables. */
export interface ServicePortRules {
  readonly port: ServicePort;
  readonly filterRules: readonly string[];
  readonly natChains: readonly string[];
  readonly natRules: readonly string[];
}

function captureClusterIP(port: ServicePort, proxier: Proxier): readonly string[] {
  const match = destination(port.protocol, `${port.clusterIP}/32`, port.port);
  const head = `-A ${KUBE_SERVICES} ${comment(`${port.nameString} cluster IP`)} ${match}`;
  return [
    ...(proxier.masqueradeAll ? [`${head} -j ${KUBE_MARK_MASQ}`] : []),
    ...(proxier.clusterCIDR === "" ? [] : [`${head} ! -s ${proxier.clusterCIDR} -j ${KUBE_MARK_MASQ}`]),
    `${head} -j ${port.serviceChain}`,
  ];
}

/** Only traffic from off the machine is sent on, or traffic to an address that is the machine's own. */
function captureExternalIP(port: ServicePort, address: string): readonly string[] {
  const match = destination(port.protocol, `${address}/32`, port.port);
  const head = `-A ${KUBE_SERVICES} ${comment(`${port.nameString} external IP`)} ${match}`;
  return [
    `${head} -j ${KUBE_MARK_MASQ}`,
    `${head} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ${port.serviceChain}`,
    `${head} -m addrtype --dst-type LOCAL -j ${port.serviceChain}`,
  ];
}

function captureLoadBalancerIP(port: ServicePort, address: string, proxier: Proxier): readonly string[] {
  const why = comment(`${port.nameString} loadbalancer IP`);
  const head = `-A ${port.firewallChain} ${why}`;
  const chosen = port.onlyNodeLocalEndpoints ? port.localChain : port.serviceChain;
  const ranges = port.loadBalancerSourceRanges;
  const blocks = ranges.map(parseIpv4Block).filter((block) => block !== undefined);
  const allowFromNode = blocks.some((block) => blockContains(block, proxier.nodeIP));
  return [
    `-A ${KUBE_SERVICES} ${why} ${destination(port.protocol, `${address}/32`, port.port)} -j ${port.firewallChain}`,
    ...(port.onlyNodeLocalEndpoints ? [] : [`${head} -j ${KUBE_MARK_MASQ}`]),
    ...(ranges.length === 0
      ? [`${head} -j ${chosen}`]
      : ranges.map((range) => `${head} -s ${range} -j ${chosen}`)),
    ...(allowFromNode ? [`${head} -s ${address}/32 -j ${chosen}`] : []),
    `${head} -j ${KUBE_MARK_DROP}`,
  ];
}

function captureNodePort(port: ServicePort): readonly string[] {
  if (port.nodePort === 0) return [];
  const head = `-A ${KUBE_NODEPORTS} -m comment --comment ${port.nameString} -m ${port.protocol} -p ${port.protocol} --dport ${port.nodePort}`;
  return port.onlyNodeLocalEndpoints
    ? [`${head} -j ${port.localChain}`]
    : [`${head} -j ${KUBE_MARK_MASQ}`, `${head} -j ${port.serviceChain}`];
}

/** Without endpoints: external addresses, NodePort and cluster IP are refused; load-balancer addresses are not. */
function refusals(port: ServicePort): readonly string[] {
  const head = `-A ${KUBE_SERVICES} ${comment(`${port.nameString} has no endpoints`)}`;
  const to = (address: string) =>
    `${head} ${destination(port.protocol, `${address}/32`, port.port)} -j REJECT`;
  const nodePort = `${head} -m addrtype --dst-type LOCAL -m ${port.protocol} -p ${port.protocol} --dport ${port.nodePort} -j REJECT`;
  return [...port.externalIPs.map(to), ...(port.nodePort === 0 ? [] : [nodePort]), to(port.clusterIP)];
}

/** The probability 1/n with the five digits of 1.7. */
function random(n: number): string {
  return n > 1 ? ` -m statistic --mode random --probability ${(1 / n).toFixed(5)}` : "";
}

function serviceChain(
  port: ServicePort,
  endpoints: readonly Endpoint[],
  chains: readonly string[],
): readonly string[] {
  const why = `-m comment --comment ${port.nameString}`;
  const head = `-A ${port.serviceChain} ${why}`;
  const affinity = chains.map(
    (chain) =>
      `${head} -m recent --name ${chain} --rcheck --seconds ${STICKY_MAX_AGE_SECONDS} --reap -j ${chain}`,
  );
  const remember = (chain: string) => (port.clientIPAffinity ? ` -m recent --name ${chain} --set` : "");
  return [
    ...(port.clientIPAffinity ? affinity : []),
    ...endpoints.flatMap(({ ip, text }, i) => {
      const chain = chains[i] ?? "";
      return [
        `${head}${random(endpoints.length - i)} -j ${chain}`,
        `-A ${chain} ${why} -s ${ip}/32 -j ${KUBE_MARK_MASQ}`,
        `-A ${chain} ${why}${remember(chain)} -m ${port.protocol} -p ${port.protocol} -j DNAT --to-destination ${text}`,
      ];
    }),
  ];
}

function localChain(port: ServicePort, localChains: readonly string[], proxier: Proxier): readonly string[] {
  const toClusterIP = comment("Redirect pods trying to reach external loadbalancer VIP to clusterIP");
  const none = comment(`${port.nameString} has no local endpoints`);
  return [
    ...(proxier.clusterCIDR === ""
      ? []
      : [`-A ${port.localChain} ${toClusterIP} -s ${proxier.clusterCIDR} -j ${port.serviceChain}`]),
    ...(localChains.length === 0 ? [`-A ${port.localChain} ${none} -j ${KUBE_MARK_DROP}`] : []),
    ...localChains.map((chain, i) => {
      const why = comment(`Balancing rule ${i} for ${port.nameString}`);
      return `-A ${port.localChain} ${why}${random(localChains.length - i)} -j ${chain}`;
    }),
  ];
}

/** The rules of one Service port on one node. */
export function servicePortRules(
  port: ServicePort,
  endpoints: readonly Endpoint[],
  proxier: Proxier,
): ServicePortRules {
  const chains = endpoints.map(({ text }) => endpointChainName(port.nameString, port.protocol, text));
  const localChains = chains.filter((_, i) => endpoints[i]?.nodeName === proxier.nodeName);
  const own =
    endpoints.length > 0 && port.onlyNodeLocalEndpoints ? localChain(port, localChains, proxier) : [];
  return {
    port,
    filterRules: endpoints.length === 0 ? refusals(port) : [],
    natChains: [
      port.serviceChain,
      ...(port.onlyNodeLocalEndpoints ? [port.localChain] : []),
      ...port.loadBalancerIPs.map(() => port.firewallChain),
      ...chains,
    ],
    natRules: [
      ...captureClusterIP(port, proxier),
      ...port.externalIPs.flatMap((address) => captureExternalIP(port, address)),
      ...port.loadBalancerIPs.flatMap((address) => captureLoadBalancerIP(port, address, proxier)),
      ...captureNodePort(port),
      ...serviceChain(port, endpoints, chains),
      ...own,
    ],
  };
}
