import type { Node } from "kubernetes-types/core/v1.js";
import { canonicalIpv4, parseIpv4 } from "./ipv4.ts";

/** What kube-proxy learns of the node it runs on: from its Node object, its interfaces, its kernel and its iptables. */
export interface ProxyNode {
  /** Equals the Node's name and the endpoints' `nodeName`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** IPv4 text. */
  readonly nodeIP: string;
  readonly podCIDRs: readonly string[];
  /** IPv4 texts of all interfaces, lo's among them, in the interfaces' order. */
  readonly interfaceAddresses: readonly string[];
  /** sysctl `net.netfilter.nf_conntrack_tcp_be_liberal` is not 0. */
  readonly conntrackTcpBeLiberal: boolean;
  /** The kernel has xt_nfacct, so that kube-proxy could create its counters. */
  readonly nfacct: boolean;
  /** `iptables` knows `--random-fully` (1.6.2 and later). */
  readonly randomFully: boolean;
}

/**
 * The IPv4 address kube-proxy takes for its node's: `bindAddress` where it names one, else the first InternalIP,
 * else the first ExternalIP, else 127.0.0.1 (cmd/kube-proxy/app/server.go: detectNodeIPs).
 */
export function nodeIPv4(node: Node | undefined, bindAddress: string): string {
  const bound = canonicalIpv4(bindAddress);
  if (bound !== undefined && parseIpv4(bound) !== 0) return bound;
  const addresses = node?.status?.addresses ?? [];
  for (const type of ["InternalIP", "ExternalIP"]) {
    for (const address of addresses) {
      const canonical = address.type === type ? canonicalIpv4(address.address) : undefined;
      if (canonical !== undefined) return canonical;
    }
  }
  return "127.0.0.1";
}

/** The Node's pod blocks; `podCIDR` stands in for an absent `podCIDRs`, as the API server's defaulting has it. */
export function podCIDRsOf(node: Node | undefined): readonly string[] {
  const spec = node?.spec ?? {};
  return spec.podCIDRs ?? (spec.podCIDR === undefined ? [] : [spec.podCIDR]);
}

/** A ProxyNode of a Node object; what the object does not say is as on a stock node with a current iptables. */
export function proxyNode(
  node: Node,
  interfaceAddresses: readonly string[],
  given: Partial<Omit<ProxyNode, "name" | "interfaceAddresses">> = {},
): ProxyNode {
  return {
    name: node.metadata?.name ?? "",
    labels: node.metadata?.labels ?? {},
    nodeIP: nodeIPv4(node, ""),
    podCIDRs: podCIDRsOf(node),
    interfaceAddresses,
    conntrackTcpBeLiberal: false,
    nfacct: true,
    randomFully: true,
    ...given,
  };
}
