import type { KubeProxyConfiguration } from "./configuration.ts";
import { parseIpv4 } from "./ipv4.ts";
import { type LocalDetector, localDetector } from "./local-detector.ts";
import type { ProxyNode } from "./node.ts";
import { type NodePortAddresses, nodePortAddresses } from "./node-port-addresses.ts";
import type { NodeTopology } from "./topology.ts";

/** What a node and its configuration contribute to the rules of a Service port. */
export interface Proxier extends NodeTopology {
  /** Unsigned 32-bit. */
  readonly nodeIP: number;
  /** `0x` and eight digits. */
  readonly masqueradeMark: string;
  readonly masqueradeAll: boolean;
  readonly localDetector: LocalDetector;
  readonly localhostNodePorts: boolean;
  readonly nodePortAddresses: NodePortAddresses;
  readonly interfaceAddresses: readonly string[];
  readonly conntrackTcpBeLiberal: boolean;
  readonly nfacct: boolean;
  readonly randomFully: boolean;
}

const LOCALHOST = 0x7f000001;

/** Settles what kube-proxy settles once at its start (pkg/proxy/iptables/proxier.go: NewProxier). */
export function proxier(config: KubeProxyConfiguration, node: ProxyNode): Proxier {
  const nodeIP = parseIpv4(node.nodeIP) ?? LOCALHOST;
  const addresses = nodePortAddresses(config.nodePortAddresses, nodeIP);
  const mark = 2 ** config.iptables.masqueradeBit;
  return {
    nodeName: node.name,
    zone: node.labels["topology.kubernetes.io/zone"] ?? "",
    nodeIP,
    masqueradeMark: `0x${mark.toString(16).padStart(8, "0")}`,
    masqueradeAll: config.iptables.masqueradeAll,
    localDetector: localDetector(config, node.podCIDRs),
    localhostNodePorts: config.iptables.localhostNodePorts && addresses.containsLoopback,
    nodePortAddresses: addresses,
    interfaceAddresses: node.interfaceAddresses,
    conntrackTcpBeLiberal: node.conntrackTcpBeLiberal || config.conntrack.tcpBeLiberal,
    nfacct: node.nfacct,
    randomFully: node.randomFully,
  };
}
