import type { KubeProxyConfiguration } from "./configuration.ts";
import { formatIpv4Block, ipv4Blocks } from "./ipv4.ts";

/** iptables arguments that tell a local pod's traffic from other traffic; undefined: it cannot be told. */
export type LocalDetector = { readonly ifLocal: string; readonly ifNotLocal: string } | undefined;

function bySource(cidrs: readonly string[]): LocalDetector {
  const first = ipv4Blocks(cidrs)[0];
  if (first === undefined) return undefined;
  const cidr = formatIpv4Block(first);
  return { ifLocal: `-s ${cidr}`, ifNotLocal: `! -s ${cidr}` };
}

function byInterface(name: string): LocalDetector {
  return { ifLocal: `-i ${name}`, ifNotLocal: `! -i ${name}` };
}

/**
 * How the node's kube-proxy tells local pods' traffic (cmd/kube-proxy/app/server_linux.go: getLocalDetectors).
 *
 * @param podCIDRs the Node's `spec.podCIDRs`, for mode NodeCIDR.
 */
export function localDetector(config: KubeProxyConfiguration, podCIDRs: readonly string[]): LocalDetector {
  switch (config.detectLocalMode) {
    case "":
    case "ClusterCIDR":
      return bySource(config.clusterCIDR.split(","));
    case "NodeCIDR":
      return bySource(podCIDRs);
    case "BridgeInterface":
      return byInterface(config.detectLocal.bridgeInterface);
    case "InterfaceNamePrefix":
      return byInterface(`${config.detectLocal.interfaceNamePrefix}+`);
  }
}
