/** What holds for the whole cluster: flannel's configuration, the range of ClusterIPs, kube-proxy. */
import type { ServiceRange } from "../../cluster/controllers/cluster-ip.ts";
import { blockAround, blockText, toBlock } from "../../cluster/objects/address.ts";
import { NET_CONF, netConfOf } from "../../cluster/objects/config-map.ts";
import {
  type NetConf,
  netConfFaults,
  netConfSchema,
  resolveNetConf,
  type SubnetRange,
} from "../../cluster/objects/flannel.ts";
import { defaultKubeProxyConfiguration } from "../../cluster/objects/kube-proxy-configuration.ts";
import type { FlannelModel, KubeProxyModel } from "../../cluster/objects/model.ts";
import { podBlock } from "../../cluster/objects/node.ts";
import { inKeyOrder } from "../../cluster/objects/store.ts";
import { formatPath, validate } from "../../cluster/objects/validate.ts";
import type { Context } from "./context.ts";

/** Used where nothing says which network pods live in (the tutorial's), and which addresses Services get (kubeadm's). */
const DEFAULT_NETWORK = "192.168.0.0/16";
const DEFAULT_SERVICE_CIDR = "10.96.0.0/12";

/** flannel's configuration, the subnets it leases, and whether a document states its network. */
export interface FlannelSettings {
  model: FlannelModel;
  range: SubnetRange;
  stated: boolean;
}

/**
 * `spec.flannel` of the Cluster, otherwise ConfigMap kube-flannel-cfg, otherwise flannel's defaults; a network nobody
 * states is the /16 around the first node's podCIDR, or {@link DEFAULT_NETWORK}.
 */
export function resolveFlannel(context: Context): FlannelSettings {
  const fallback = networkOfNodes(context);
  const conf = statedNetConf(context, fallback) ?? {};
  const { range, ...model } = resolveNetConf(conf, fallback);
  return { model, range, stated: conf.Network !== undefined };
}

function statedNetConf(context: Context, fallback: string): NetConf | null {
  const { cluster, store } = context.objects;
  const flannel = cluster?.spec?.flannel;
  if (cluster !== null && flannel !== undefined) {
    const faults = netConfFaults(flannel, fallback);
    for (const { path, text } of faults) context.report(cluster, ["spec", "flannel", ...path], text);
    return faults.length > 0 ? {} : flannel;
  }
  for (const configMap of inKeyOrder(store.configMaps)) {
    const text = netConfOf(configMap);
    if (text === null) continue;
    const result = parseNetConf(text, fallback);
    if ("conf" in result) return result.conf;
    for (const fault of result.faults) context.report(configMap, ["data", NET_CONF], fault);
    return {};
  }
  return null;
}

function parseNetConf(text: string, fallback: string): { conf: NetConf } | { faults: string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { faults: [`is not JSON: ${(error as Error).message}`] };
  }
  const faults = validate(netConfSchema, value);
  if (faults.length === 0) faults.push(...netConfFaults(value as NetConf, fallback));
  if (faults.length === 0) return { conf: value as NetConf };
  return {
    faults: faults.map(({ path, text }) => (path.length === 0 ? text : `${formatPath(path)}: ${text}`)),
  };
}

function networkOfNodes({ objects }: Context): string {
  for (const node of inKeyOrder(objects.store.nodes)) {
    const stated = podBlock(node);
    if (stated === null) continue;
    const block = toBlock(stated.block);
    return blockText(blockAround(block.base, Math.min(16, block.length)));
  }
  return DEFAULT_NETWORK;
}

/** The range of ClusterIPs, and whether it is stated. */
export function resolveServiceRange({ objects }: Context): Omit<ServiceRange, "podBlocks"> {
  const stated = objects.cluster?.spec?.serviceCIDR;
  return { block: toBlock(stated ?? DEFAULT_SERVICE_CIDR), stated: stated !== undefined };
}

/**
 * kube-proxy. Without a KubeProxyConfiguration its clusterCIDR is flannel's network, as installers set it; with one it is
 * what that says.
 */
export function resolveKubeProxy({ objects }: Context, network: string): KubeProxyModel {
  const { version = "1.32", nfacct = true, conntrackCleanup = true } = objects.cluster?.spec?.kubeProxy ?? {};
  const input = objects.kubeProxyConfiguration ?? { clusterCIDR: network };
  return { version, nfacct, conntrackCleanup, configuration: defaultKubeProxyConfiguration(input) };
}
