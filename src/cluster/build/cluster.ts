import { loadLegacy } from "../../linux/netfilter/legacy.ts";
import { RuleSetError } from "../../linux/netfilter/rules/error.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import type { Listener } from "../../linux/socket/socket-table.ts";
import { type PublishedPort, publishedPortRules } from "../docker/iptables.ts";
import { cleanUpConntrack } from "../node-rules/conntrack-cleanup.ts";
import { applyCommands, installNodeRules, resyncKubeProxy } from "../node-rules/install.ts";
import { type ServiceState, serviceState } from "../node-rules/kube-proxy.ts";
import { kubeProxyInput } from "../node-rules/proxy-mode.ts";
import { SharedRestore } from "../node-rules/shared-restore.ts";
import type { ClusterModel, PodModel } from "../objects/model.ts";
import { announce, announcements, type Withdraw } from "./load-balancer.ts";
import { listen } from "./machine.ts";
import type { SimulatedNode } from "./node.ts";
import {
  addPod,
  publishedPorts,
  removePod,
  type SimulatedPod,
  sameSandbox,
  updateContainers,
} from "./pod.ts";
import type { Refusals } from "./refusals.ts";
import { type ServiceAddresses, serviceAddresses } from "./service-addresses.ts";

const podKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/**
 * A cluster as a network of namespaces, and who is who in it. Made by `buildNetwork`; `update` lets it follow a model
 * that has changed while connections and virtual time go on.
 */
export class SimulatedCluster implements Refusals {
  readonly network: Network;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly hosts: ReadonlyMap<string, Netns>;
  /** What programs tried and the kernel refused: `nginx: EADDRINUSE: tcp 80 in …`. */
  readonly refused: string[];
  private current: ClusterModel;
  private services: ServiceState;
  private readonly restore = new SharedRestore();
  private readonly podsByKey = new Map<string, SimulatedPod>();
  private readonly podsByNetns = new Map<string, SimulatedPod>();
  private withdrawals: Withdraw[] = [];
  private healthChecks: { readonly netns: Netns; readonly listener: Listener }[] = [];

  /** Takes over machines that are set up but for pods and rules, and sets those up. */
  constructor(
    network: Network,
    model: ClusterModel,
    nodes: ReadonlyMap<string, SimulatedNode>,
    hosts: ReadonlyMap<string, Netns>,
    refusals: Refusals,
  ) {
    this.network = network;
    this.nodes = nodes;
    this.hosts = hosts;
    this.refused = refusals.refused;
    this.current = model;
    this.services = serviceState(model);
    for (const pod of model.pods) this.startPod(pod);
    const ports = this.portsByNode();
    for (const [name, { netns, model: node }] of nodes)
      installNodeRules(netns, model, node, this.services, ports.get(name) ?? [], this.restore);
    for (const node of nodes.values()) this.loadOwnRules(node);
    this.announceServices();
  }

  /** What the topology itself loads on a node; a text that iptables-restore refuses changes nothing. */
  private loadOwnRules({ netns, model: { iptables = "", iptablesLegacy = "" } }: SimulatedNode): void {
    const attempt = (tool: string, text: string, load: () => void): void => {
      try {
        if (text !== "") load();
      } catch (error) {
        if (!(error instanceof RuleSetError)) throw error;
        this.refused.push(`${tool} on ${netns.name}: ${error.message}`);
      }
    };
    attempt("iptables-restore", iptables, () => netns.netfilter.load(iptables, { noflush: true }));
    attempt("iptables-legacy-restore", iptablesLegacy, () => loadLegacy(netns, iptablesLegacy));
  }

  /** The model that the namespaces stand for. */
  get model(): ClusterModel {
    return this.current;
  }

  /** Throws RangeError when there is no such node. */
  node(name: string): SimulatedNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new RangeError(`there is no node ${name}`);
    return node;
  }

  /** The pod, or null when it has no sandbox (or does not exist). Its `netns` is the node's under `hostNetwork`. */
  pod(namespace: string, name: string): SimulatedPod | null {
    return this.podsByKey.get(podKey(namespace, name)) ?? null;
  }

  /** The pod whose sandbox a namespace is; null for nodes and hosts. */
  podOfNetns(netns: string): SimulatedPod | null {
    return this.podsByNetns.get(netns) ?? null;
  }

  /** Every pod that has a sandbox or the node's network, in the order in which they were started. */
  pods(): Iterable<SimulatedPod> {
    return this.podsByKey.values();
  }

  /** Where a Service is reached; null when there is no such Service. */
  service(namespace: string, name: string): ServiceAddresses | null {
    const found = this.current.services.find(
      ({ metadata }) => (metadata?.namespace ?? "default") === namespace && metadata?.name === name,
    );
    return found === undefined ? null : serviceAddresses(found);
  }

  /** What kube-proxy on that node hands to iptables-restore, in nftables mode to nft. Throws RangeError when there is no such node. */
  kubeProxyRestore(nodeName: string): string {
    const { model, netns } = this.node(nodeName);
    return kubeProxyInput(this.current, this.services, model, netns);
  }

  /**
   * Follows a changed model: pods come, go and change readiness, every kube-proxy syncs in full and cleans conntrack up
   * where that is on, load-balancer addresses move. Connections, counters and neighbours that this does not concern
   * stay. Nodes, hosts and their settings must be those that were built; throws RangeError when the nodes' names differ.
   */
  update(model: ClusterModel): void {
    const names = model.nodes.map(({ name }) => name);
    if (names.length !== this.nodes.size || !names.every((name) => this.nodes.has(name)))
      throw new RangeError(`the cluster was built with other nodes than ${names.join(", ")}`);
    const before = this.services;
    this.current = model;
    this.services = serviceState(model);
    this.updatePods(model.pods);
    this.restore.forgetTexts();
    for (const { netns, model: node } of this.nodes.values()) {
      resyncKubeProxy(netns, model, node, this.services, this.restore);
      if (model.kubeProxy.conntrackCleanup) cleanUpConntrack(netns, before, this.services);
    }
    this.announceServices();
  }

  private updatePods(models: readonly PodModel[]): void {
    const wanted = new Map(models.map((pod) => [podKey(pod.namespace, pod.name), pod]));
    for (const [key, pod] of [...this.podsByKey]) {
      const model = wanted.get(key);
      if (model === undefined || !sameSandbox(pod, model)) this.stopPod(key, pod);
    }
    for (const [key, model] of wanted) {
      const pod = this.podsByKey.get(key);
      if (pod === undefined) this.publish(this.startPod(model), [], publishedPorts(model));
      else {
        const before = publishedPorts(pod.model);
        updateContainers(pod, model, this);
        this.publish(pod, before, publishedPorts(model));
      }
    }
  }

  private startPod(model: PodModel): SimulatedPod {
    const pod = addPod(this.network, this.node(model.nodeName), model, this);
    this.podsByKey.set(podKey(model.namespace, model.name), pod);
    if (pod.sandbox !== null) this.podsByNetns.set(pod.netns.name, pod);
    return pod;
  }

  private stopPod(key: string, pod: SimulatedPod): void {
    this.publish(pod, publishedPorts(pod.model), []);
    removePod(this.network, pod);
    this.podsByKey.delete(key);
    if (pod.sandbox !== null) this.podsByNetns.delete(pod.netns.name);
  }

  /** docker takes the rules of published ports away and adds those of new ones. */
  private publish(
    { node }: SimulatedPod,
    before: readonly PublishedPort[],
    after: readonly PublishedPort[],
  ): void {
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    const { docker } = node.model;
    const commands = [
      ...before.flatMap((port) => publishedPortRules(docker, port, "-D")),
      ...after.flatMap((port) => publishedPortRules(docker, port, "-A")),
    ];
    applyCommands(node.netns, commands, this.restore);
  }

  private portsByNode(): Map<string, PublishedPort[]> {
    const ports = new Map<string, PublishedPort[]>();
    for (const { model } of this.podsByKey.values()) {
      const own = publishedPorts(model);
      if (own.length > 0) ports.set(model.nodeName, [...(ports.get(model.nodeName) ?? []), ...own]);
    }
    return ports;
  }

  /** Load-balancer addresses as the endpoints now have it, and the health checks that kube-proxy answers for them. */
  private announceServices(): void {
    for (const withdraw of this.withdrawals) withdraw();
    this.withdrawals = announcements(this.current).flatMap((one) =>
      announce(one, this.current, this.nodes, this.hosts),
    );
    for (const { netns, listener } of this.healthChecks) netns.sockets.close(listener);
    this.healthChecks = [];
    for (const { spec } of this.current.services) {
      const port = spec?.healthCheckNodePort ?? 0;
      if (port === 0) continue;
      for (const { netns } of this.nodes.values()) {
        const listener = listen(netns, { port, protocol: "TCP" }, "kube-proxy", this);
        if (listener !== null) this.healthChecks.push({ netns, listener });
      }
    }
  }
}
