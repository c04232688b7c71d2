import type { Netns } from "../../linux/netns.ts";
import { type NftProxier, nftProxier } from "../kube-proxy/nftables/proxier.ts";
import { fullNftSync, nftRules } from "../kube-proxy/nftables/sync.ts";
import type { ProxyMode } from "../objects/kube-proxy-configuration.ts";
import type { ClusterModel, NodeModel } from "../objects/model.ts";
import { kubeProxyIpvs } from "./ipvs.ts";
import { kubeProxyConfiguration, kubeProxyRestore, proxyNodeOf, type ServiceState } from "./kube-proxy.ts";

/** The mode of a cluster's kube-proxies; 1.7's have rules of iptables alone. */
export const proxyMode = ({ kubeProxy }: ClusterModel): ProxyMode =>
  kubeProxy.version === "1.32" ? kubeProxy.configuration.mode : "iptables";

/** A node as its kube-proxy in nftables mode sees it. */
export const nftProxierOf = (model: ClusterModel, node: NodeModel, netns: Netns): NftProxier =>
  nftProxier(kubeProxyConfiguration(model), proxyNodeOf(model, node, netns));

/** What kube-proxy in nftables mode hands to `nft -f -` on this node at its first sync. */
function kubeProxyNft(model: ClusterModel, services: ServiceState, node: NodeModel, netns: Netns): string {
  if (services.version !== "1.32") throw new RangeError("kube-proxy 1.7 has no nftables mode");
  const proxier = nftProxierOf(model, node, netns);
  return fullNftSync(nftRules(services.state, proxier), proxier);
}

/** What kube-proxy hands to its mode's tool at a full sync: iptables-restore, or nft. */
export function kubeProxyInput(
  model: ClusterModel,
  services: ServiceState,
  node: NodeModel,
  netns: Netns,
): string {
  switch (proxyMode(model)) {
    case "iptables":
      return kubeProxyRestore(model, services, node, netns);
    case "ipvs":
      return kubeProxyIpvs(model, services, node, netns).restore;
    case "nftables":
      return kubeProxyNft(model, services, node, netns);
  }
}

/** A full sync in nftables mode; clients stay with the endpoints that they stick to. */
export function syncNftables(
  model: ClusterModel,
  services: ServiceState,
  node: NodeModel,
  netns: Netns,
): void {
  if (services.version !== "1.32") throw new RangeError("kube-proxy 1.7 has no nftables mode");
  netns.netfilter.installNftables(services.nftables.tableOf(nftProxierOf(model, node, netns)));
}
