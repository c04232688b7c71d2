import { formatIpsets } from "../../cluster/kube-proxy/ipvs/ipsets.ts";
import { formatIpvs, type IpvsSync } from "../../cluster/kube-proxy/ipvs/sync.ts";
import { fullNftSync, nftRules, partialNftSync } from "../../cluster/kube-proxy/nftables/sync.ts";
import { proxier } from "../../cluster/kube-proxy/proxier.ts";
import type { ProxyState } from "../../cluster/kube-proxy/proxy-state.ts";
import {
  formatRestore,
  generateRuleSet,
  type PortRules,
  type RuleSet,
} from "../../cluster/kube-proxy/restore.ts";
import { kubeProxyIpvs } from "../../cluster/node-rules/ipvs.ts";
import { kubeProxyConfiguration, proxyNodeOf, serviceState } from "../../cluster/node-rules/kube-proxy.ts";
import { nftProxierOf } from "../../cluster/node-rules/proxy-mode.ts";
import type { IpvsScheduler } from "../../cluster/objects/kube-proxy-configuration.ts";
import type { ClusterModel } from "../../cluster/objects/model.ts";
import type { BenchCluster, Combination } from "./cluster.ts";

/** Bytes that kube-proxy hands to the kernel's tools. */
export interface SyncSize {
  /** At its first sync. */
  readonly full: number;
  /** After one endpoint of one Service, the middle one, has gone. */
  readonly oneEndpoint: number;
}

/** More endpoints than this, and kube-proxy deletes chains that nobody needs only now and then (largeClusterEndpointsThreshold). */
const LARGE_CLUSTER_ENDPOINTS = 1000;

/** The sizes on the client's node. */
export function syncSize({ mode, scheduler }: Combination, { cluster, client }: BenchCluster): SyncSize {
  const { model, netns } = cluster.node(client.name.split("/")[0]!);
  const before = stateOf(cluster.model);
  const changed = withoutOneEndpoint(cluster.model);
  const after = stateOf(changed);
  const own = proxyNodeOf(cluster.model, model, netns);
  const config = kubeProxyConfiguration(cluster.model);
  switch (mode) {
    case "iptables": {
      const rulesBefore = generateRuleSet(before, proxier(config, own));
      const rulesAfter = generateRuleSet(after, proxier(config, own));
      const large = after.totalEndpoints > LARGE_CLUSTER_ENDPOINTS;
      return {
        full: Buffer.byteLength(formatRestore(rulesBefore)),
        oneEndpoint: Buffer.byteLength(partialRestore(rulesBefore, rulesAfter, large)),
      };
    }
    case "nftables": {
      const nft = nftProxierOf(cluster.model, model, netns);
      const portsBefore = nftRules(before, nft);
      return {
        full: Buffer.byteLength(fullNftSync(portsBefore, nft)),
        oneEndpoint: Buffer.byteLength(partialNftSync(portsBefore, nftRules(after, nft))),
      };
    }
    case "ipvs": {
      const sync = (services: ReturnType<typeof serviceState>): IpvsSync =>
        kubeProxyIpvs(cluster.model, services, model, netns);
      return ipvsSyncSize(sync(serviceState(cluster.model)), sync(serviceState(changed)), scheduler);
    }
  }
}

/**
 * In ipvs mode kube-proxy talks netlink to IPVS and calls ipset once a member; the bytes are those of the same as input of
 * ipset and ipvsadm. iptables' rules it hands over anew at every sync; sets and servers it compares with what is there.
 */
function ipvsSyncSize(before: IpvsSync, after: IpvsSync, scheduler: IpvsScheduler): SyncSize {
  const lines = ({ ipsets, virtualServers }: IpvsSync): string[] =>
    `${formatIpsets(ipsets)}${formatIpvs(virtualServers, scheduler)}`.split("\n");
  const had = new Set(lines(before));
  const has = new Set(lines(after));
  // what goes is taken away by a command as long as the one that put it there
  const changes = [
    ...lines(before).filter((line) => !has.has(line)),
    ...lines(after).filter((line) => !had.has(line)),
  ];
  return {
    full: Buffer.byteLength(before.restore) + Buffer.byteLength(lines(before).join("\n")),
    oneEndpoint:
      Buffer.byteLength(after.restore) + Buffer.byteLength(changes.map((line) => `${line}\n`).join("")),
  };
}

function stateOf(model: ClusterModel): ProxyState {
  const services = serviceState(model);
  if (services.version !== "1.32") throw new RangeError("only kube-proxy 1.32 is measured");
  return services.state;
}

/** The model with the last endpoint of the middle Service gone. */
function withoutOneEndpoint(model: ClusterModel): ClusterModel {
  const middle = Math.floor(model.endpointSlices.length / 2);
  const endpointSlices = model.endpointSlices.map((slice, i) =>
    i === middle ? { ...slice, endpoints: slice.endpoints.slice(0, -1) } : slice,
  );
  return { ...model, endpointSlices };
}

const IN_SHARED_CHAIN = /^-A KUBE-(SERVICES|NODEPORTS) /;

/**
 * What kube-proxy in iptables mode hands over when it need not sync in full (pkg/proxy/iptables/proxier.go:
 * syncProxyRules, tryPartialSync): every shared chain anew, and the chains of those Services alone that have changed.
 *
 * @param large a large cluster's chains that nothing leads to stay until a later clean-up.
 */
function partialRestore(before: RuleSet, after: RuleSet, large: boolean): string {
  const old = new Map(before.servicePorts.map((rules) => [rules.port.chains.clusterPolicy, rules]));
  const stale: string[] = [];
  const servicePorts = after.servicePorts.map((rules): PortRules => {
    const same = old.get(rules.port.chains.clusterPolicy);
    if (same !== undefined && same.natRules.join() === rules.natRules.join())
      return {
        filterRules: rules.filterRules,
        natChains: [],
        natRules: rules.natRules.filter((rule) => IN_SHARED_CHAIN.test(rule)),
      };
    for (const chain of same?.natChains ?? []) if (!rules.natChains.includes(chain)) stale.push(chain);
    return rules;
  });
  const removed = large ? [] : stale;
  return formatRestore({
    ...after,
    servicePorts: [
      ...servicePorts,
      { filterRules: [], natChains: removed, natRules: removed.map((chain) => `-X ${chain}`) },
    ],
  });
}
