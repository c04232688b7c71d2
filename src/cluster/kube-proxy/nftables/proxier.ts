import type { KubeProxyConfiguration } from "../configuration.ts";
import { isLoopback, parseIpv4 } from "../ipv4.ts";
import type { LocalDetector } from "../local-detector.ts";
import type { ProxyNode } from "../node.ts";
import { selectedAddresses } from "../node-port-addresses.ts";
import { type Proxier, proxier } from "../proxier.ts";

/** What a node contributes to the rules in nftables mode. */
export interface NftProxier extends Proxier {
  /** Expressions that tell a local pod's traffic; undefined: it cannot be told. */
  readonly nftLocalDetector: { readonly ifLocal: string; readonly ifNotLocal: string } | undefined;
  /** Addresses that NodePorts are answered on; null: every local one but loopback. */
  readonly nodePortIPs: readonly string[] | null;
}

/**
 * What kube-proxy settles at its start. In this mode an empty `nodePortAddresses` means `primary`
 * (cmd/kube-proxy/app/server_linux.go: platformApplyDefaults), and NodePorts are never answered on loopback.
 */
export function nftProxier(config: KubeProxyConfiguration, node: ProxyNode): NftProxier {
  const nodePortAddresses = config.nodePortAddresses.length === 0 ? ["primary"] : config.nodePortAddresses;
  const common = proxier({ ...config, nodePortAddresses }, node);
  const { nodePortAddresses: addresses, interfaceAddresses } = common;
  return {
    ...common,
    nftLocalDetector: nftDetector(common.localDetector),
    nodePortIPs: addresses.matchAll
      ? null
      : selectedAddresses(addresses, interfaceAddresses).filter((text) => !isLoopback(parseIpv4(text) ?? 0)),
  };
}

/** pkg/proxy/util/localdetector.go: IfLocalNFT and IfNotLocalNFT. */
function nftDetector(detector: LocalDetector): NftProxier["nftLocalDetector"] {
  if (detector === undefined) return undefined;
  const [option, value = ""] = detector.ifLocal.split(" ");
  if (option === "-s") return { ifLocal: `ip saddr ${value}`, ifNotLocal: `ip saddr != ${value}` };
  if (!value.endsWith("+")) return { ifLocal: `iif ${value}`, ifNotLocal: `iif != ${value}` };
  const name = `${value.slice(0, -1)}*`;
  return { ifLocal: `iifname ${name}`, ifNotLocal: `iifname != ${name}` };
}
