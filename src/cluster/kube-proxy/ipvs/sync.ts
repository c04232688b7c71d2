import { type Endpoint, endpointsOnNode, isLocal } from "../endpoints.ts";
import { blockContains, formatIpv4Block } from "../ipv4.ts";
import type { Proxier } from "../proxier.ts";
import { endpointsOf, type ProxyState } from "../proxy-state.ts";
import type { ServicePort } from "../service-port.ts";
import { trafficOf } from "../traffic.ts";
import * as sets from "./ipsets.ts";
import { ipvsRestore, type RefusedFromNode } from "./iptables-rules.ts";

/** A virtual server as kube-proxy asks for it; `destinations` are `ip:port`. */
export interface KubeVirtualServer {
  readonly protocol: ServicePort["protocol"];
  readonly address: string;
  readonly port: number;
  readonly persistentSeconds: number | null;
  readonly destinations: readonly Pick<Endpoint, "ip" | "port" | "text">[];
}

/** Everything that kube-proxy in ipvs mode sets up on one node. */
export interface IpvsSync {
  readonly virtualServers: readonly KubeVirtualServer[];
  readonly ipsets: sets.IpsetEntries;
  /** Addresses on kube-ipvs0. */
  readonly boundAddresses: readonly string[];
  /** Input of iptables-restore. */
  readonly restore: string;
}

/** What a node is to ipvs mode. */
export interface IpvsNode {
  readonly proxier: Proxier;
  /** The node's addresses but for those on kube-ipvs0. */
  readonly nodeAddresses: readonly string[];
  /** Those of them that NodePorts are answered on. */
  readonly nodePortAddresses: readonly string[];
}

/** Gathers what the Services ask for. */
class Gathering {
  readonly entries = new Map<string, Set<string>>();
  readonly virtualServers: KubeVirtualServer[] = [];
  readonly bound = new Set<string>();
  readonly refused: RefusedFromNode[] = [];

  add(set: string, entry: string): void {
    const same = this.entries.get(set);
    if (same === undefined) this.entries.set(set, new Set([entry]));
    else same.add(entry);
  }
}

/** A full sync (pkg/proxy/ipvs/proxier.go: syncProxyRules); Services in the order of namespace, name and port name. */
export function ipvsSync(state: ProxyState, node: IpvsNode): IpvsSync {
  const gathering = new Gathering();
  for (const port of state.servicePorts) syncPort(port, endpointsOf(state, port), node, gathering);
  for (const address of gathering.bound) gathering.add(sets.IPVS_IPS, address);
  const ipsets = new Map([...gathering.entries].map(([name, entries]) => [name, [...entries]]));
  return {
    virtualServers: gathering.virtualServers,
    ipsets,
    boundAddresses: [...gathering.bound],
    restore: ipvsRestore(ipsets, node.proxier, gathering.refused),
  };
}

function syncPort(port: ServicePort, all: readonly Endpoint[], node: IpvsNode, gathering: Gathering): void {
  const { proxier } = node;
  const endpoints = endpointsOnNode(all, proxier.nodeName);
  const { clusterEndpoints, localEndpoints } = trafficOf(port, endpoints, proxier);
  for (const endpoint of endpoints)
    if (isLocal(endpoint, proxier.nodeName))
      gathering.add(sets.LOOP_BACK, `${endpoint.ip},${port.protocol}:${endpoint.port},${endpoint.ip}`);
  // syncEndpoint: without a local endpoint, policy Local falls back to those of policy Cluster, where there are any
  const destinations = (local: boolean): readonly Endpoint[] =>
    local && localEndpoints.length > 0 ? localEndpoints : clusterEndpoints;
  const serve = (address: string, number: number, local: boolean): void =>
    void gathering.virtualServers.push({
      protocol: port.protocol,
      address,
      port: number,
      persistentSeconds: port.sessionAffinity === "ClientIP" ? port.stickyMaxAgeSeconds : null,
      destinations: destinations(local),
    });
  const at = (address: string): string => `${address},${port.protocol}:${port.port}`;
  gathering.add(sets.CLUSTER_IP, at(port.clusterIP));
  serve(port.clusterIP, port.port, port.internalPolicyLocal);
  gathering.bound.add(port.clusterIP);
  for (const address of port.externalIPs) {
    gathering.add(port.externalPolicyLocal ? sets.EXTERNAL_IP_LOCAL : sets.EXTERNAL_IP, at(address));
    serve(address, port.port, port.externalPolicyLocal);
    if (!node.nodeAddresses.includes(address)) gathering.bound.add(address);
  }
  for (const address of port.loadBalancerVIPs) {
    syncLoadBalancer(port, address, proxier, gathering);
    serve(address, port.port, port.externalPolicyLocal);
    if (!node.nodeAddresses.includes(address)) gathering.bound.add(address);
  }
  if (port.nodePort !== 0 && node.nodePortAddresses.length > 0) {
    syncNodePort(port, node, gathering);
    for (const address of node.nodePortAddresses) serve(address, port.nodePort, port.externalPolicyLocal);
  }
  if (port.healthCheckNodePort !== 0)
    gathering.add(sets.HEALTH_CHECK_NODE_PORT, String(port.healthCheckNodePort));
}

function syncLoadBalancer(port: ServicePort, address: string, proxier: Proxier, gathering: Gathering): void {
  const at = `${address},${port.protocol}:${port.port}`;
  gathering.add(sets.LOAD_BALANCER, at);
  if (port.externalPolicyLocal) gathering.add(sets.LOAD_BALANCER_LOCAL, at);
  const ranges = port.loadBalancerSourceRanges;
  if (ranges.length === 0) return;
  gathering.add(sets.LOAD_BALANCER_FW, at);
  for (const range of ranges)
    gathering.add(sets.LOAD_BALANCER_SOURCE_CIDR, `${at},${formatIpv4Block(range)}`);
  if (ranges.some((range) => blockContains(range, proxier.nodeIP)))
    gathering.add(sets.LOAD_BALANCER_SOURCE_IP, `${at},${address}`);
  else gathering.refused.push({ address, protocol: port.protocol, port: port.port });
}

const NODE_PORT_SETS = {
  tcp: [sets.NODE_PORT_TCP, sets.NODE_PORT_LOCAL_TCP],
  udp: [sets.NODE_PORT_UDP, sets.NODE_PORT_LOCAL_UDP],
  sctp: [sets.NODE_PORT_SCTP, sets.NODE_PORT_LOCAL_SCTP],
} as const;

function syncNodePort(port: ServicePort, { nodePortAddresses }: IpvsNode, gathering: Gathering): void {
  const [all, local] = NODE_PORT_SETS[port.protocol];
  const entries =
    port.protocol === "sctp"
      ? nodePortAddresses.map((address) => `${address},sctp:${port.nodePort}`)
      : [String(port.nodePort)];
  for (const entry of entries) {
    gathering.add(all, entry);
    if (port.externalPolicyLocal) gathering.add(local, entry);
  }
}

/** The virtual servers as `ipvsadm -R` takes them. kube-proxy tells the kernel by netlink instead. */
export function formatIpvs(virtualServers: readonly KubeVirtualServer[], scheduler: string): string {
  const lines: string[] = [];
  const option = { tcp: "-t", udp: "-u", sctp: "--sctp-service" };
  for (const { protocol, address, port, persistentSeconds, destinations } of virtualServers) {
    const service = `${option[protocol]} ${address}:${port}`;
    lines.push(
      `-A ${service} -s ${scheduler}${persistentSeconds === null ? "" : ` -p ${persistentSeconds}`}`,
    );
    for (const { text } of destinations) lines.push(`-a ${service} -r ${text} -m -w 1`);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
