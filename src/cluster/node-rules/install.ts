import { EMPTY_RULE_SET, type RuleSet } from "../../linux/netfilter/rules/rule-set.ts";
import type { Netns } from "../../linux/netns.ts";
import { type DockerRules, dockerRules, type PublishedPort, publishedPortRules } from "../docker/iptables.ts";
import { flannelRules } from "../flannel/iptables.ts";
import { IPVS_JUMPS } from "../kube-proxy/ipvs/iptables-rules.ts";
import { DEFAULT_MARKS, kubeletRules } from "../kubelet/iptables.ts";
import type { ClusterModel, NodeModel } from "../objects/model.ts";
import { type RuleCommand, restoreInput } from "./command.ts";
import { installIpvs, kubeProxyIpvs } from "./ipvs.ts";
import {
  ensureJumps,
  kubeProxyConfiguration,
  kubeProxyJumps,
  kubeProxyRestore,
  proxierOf,
  type ServiceState,
  staleServiceChains,
} from "./kube-proxy.ts";
import { proxyMode, syncNftables } from "./proxy-mode.ts";
import type { SharedRestore } from "./shared-restore.ts";

/**
 * All rules of a node from empty tables, each program's commands carried out as iptables would, in the order in which a
 * node starts them: docker, flannel, kubelet, kube-proxy, and then the pods with published ports.
 *
 * | program    | puts at the head (-I)                                | appends (-A)                                |
 * |------------|------------------------------------------------------|---------------------------------------------|
 * | docker     | filter FORWARD, nat POSTROUTING                      | nat PREROUTING and OUTPUT, published ports  |
 * | flannel    |                                                      | nat POSTROUTING, filter FORWARD             |
 * | kubelet    | filter INPUT and OUTPUT, nat POSTROUTING (1.7)       |                                             |
 * | kube-proxy | all its jumps                                        |                                             |
 *
 * flannel is taken to be of docker 1.13's and the tutorial's time, 0.9.0, which has no rules in FORWARD: there
 * `forwardPolicy: DROP` bites as it did then. `forwardRules` in the model gives it those of 0.9.1.
 *
 * So kube-proxy goes before kubelet before docker before flannel wherever they meet, whichever of flannel and docker
 * comes first; only docker restarted later would put its own before the others'.
 */
export function installNodeRules(
  netns: Netns,
  model: ClusterModel,
  node: NodeModel,
  services: ServiceState,
  ports: readonly PublishedPort[],
  restore: SharedRestore,
): void {
  const { version } = model.kubeProxy;
  const { network, ipMasq, forwardRules } = model.flannel;
  const marks = { ...DEFAULT_MARKS, masqueradeBit: kubeProxyConfiguration(model).iptables.masqueradeBit };
  const docker: DockerRules = node.docker;
  let rules = EMPTY_RULE_SET;
  rules = restore.apply(rules, restoreInput(dockerRules(docker)));
  rules = restore.apply(
    rules,
    restoreInput(flannelRules({ network, subnet: node.podCIDR, ipMasq, forwardRules })),
  );
  rules = restore.apply(rules, restoreInput(kubeletRules(version, marks)));
  rules = syncKubeProxy(rules, netns, model, node, services, restore);
  rules = restore.apply(rules, restoreInput(ports.flatMap((port) => publishedPortRules(docker, port, "-A"))));
  netns.netfilter.install(rules);
  syncBeyondIptables(netns, model, node, services);
}

/** iptables' rules after a full sync of kube-proxy; `rules` are those before. In nftables mode it leaves them alone. */
function syncKubeProxy(
  rules: RuleSet,
  netns: Netns,
  model: ClusterModel,
  node: NodeModel,
  services: ServiceState,
  restore: SharedRestore,
): RuleSet {
  const mode = proxyMode(model);
  if (mode === "nftables") return rules;
  if (mode === "ipvs") return syncIpvsRules(rules, netns, model, node, services, restore);
  const jumped = restore.apply(rules, restoreInput(kubeProxyJumps(model.kubeProxy.version, rules)));
  if (services.version === "1.32") {
    const chains = restore.kubeProxyChains(services.shared);
    return restore.applySources(jumped, chains.of(proxierOf(model, node, netns)));
  }
  const text = kubeProxyRestore(model, services, node, netns);
  const restored = restore.applyShared(jumped, text);
  return restore.apply(restored, restoreInput(staleServiceChains(restored, text)));
}

/** In ipvs mode: a few rules about sets. */
function syncIpvsRules(
  rules: RuleSet,
  netns: Netns,
  model: ClusterModel,
  node: NodeModel,
  services: ServiceState,
  restore: SharedRestore,
): RuleSet {
  const jumped = restore.apply(rules, restoreInput(ensureJumps(IPVS_JUMPS, [], rules)));
  const { restore: text } = kubeProxyIpvs(model, services, node, netns);
  // nobody here judges by `-m ipvs`: the node may reach load balancers whose source ranges leave it out
  return restore.apply(jumped, text.replace(/^.* -m ipvs .*\n/gm, ""));
}

/** What kube-proxy sets up beside iptables' rules, by its mode. */
function syncBeyondIptables(
  netns: Netns,
  model: ClusterModel,
  node: NodeModel,
  services: ServiceState,
): void {
  switch (proxyMode(model)) {
    case "iptables":
      return;
    case "nftables":
      syncNftables(model, services, node, netns);
      return;
    case "ipvs":
      installIpvs(
        netns,
        kubeProxyIpvs(model, services, node, netns),
        model.kubeProxy.configuration.ipvs.scheduler,
      );
  }
}

/** kube-proxy syncs: its rules follow the Services and endpoints, everybody else's stay, and so do counters and connections. */
export function resyncKubeProxy(
  netns: Netns,
  model: ClusterModel,
  node: NodeModel,
  services: ServiceState,
  restore: SharedRestore,
): void {
  netns.netfilter.install(syncKubeProxy(netns.netfilter.ruleSet, netns, model, node, services, restore));
  syncBeyondIptables(netns, model, node, services);
}

/** A program gives commands on a running node. Throws RuleSetError where iptables would refuse one. */
export function applyCommands(netns: Netns, commands: readonly RuleCommand[], restore: SharedRestore): void {
  if (commands.length > 0)
    netns.netfilter.install(restore.apply(netns.netfilter.ruleSet, restoreInput(commands)));
}
