import { loadLegacy } from "../../linux/netfilter/legacy.ts";
import { RuleSetError } from "../../linux/netfilter/rules/error.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import type { Listener } from "../../linux/socket/socket-table.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { type PublishedPort, publishedPortRules } from "../docker/iptables.ts";
import { addLeases } from "../flannel/flannel.ts";
import type { Lease } from "../flannel/lease.ts";
import { addLeasesOnDemand, LeaseBook } from "../flannel/lease-book.ts";
import { cleanUpConntrack } from "../node-rules/conntrack-cleanup.ts";
import { applyCommands, installNodeRules, resyncKubeProxy } from "../node-rules/install.ts";
import { type ServiceState, serviceState } from "../node-rules/kube-proxy.ts";
import { kubeProxyInput } from "../node-rules/proxy-mode.ts";
import { SharedRestore } from "../node-rules/shared-restore.ts";
import type { ClusterModel, NodeModel, PodModel } from "../objects/model.ts";
import { announce, announcements, type Withdraw } from "./load-balancer.ts";
import { listen } from "./machine.ts";
import { addNode, leaseOf, type SimulatedNode } from "./node.ts";
import { OnDemandMap } from "./on-demand-map.ts";
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
import { SleepingNodes } from "./sleeping.ts";

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
  /** Nodes that are still to be made; null where all are made at once. */
  private sleeping: SleepingNodes | null = null;
  private readonly podsByKey = new Map<string, SimulatedPod>();
  private readonly podsByNetns = new Map<string, SimulatedPod>();
  private withdrawals: Withdraw[] = [];
  private healthCheckPorts: readonly number[] = [];
  private healthChecks: { readonly netns: Netns; readonly listener: Listener }[] = [];

  /**
   * Takes over hosts and segments and sets up all the rest.
   *
   * @param onDemand each node with its pods when it is first asked for.
   */
  constructor(
    network: Network,
    model: ClusterModel,
    hosts: ReadonlyMap<string, Netns>,
    refusals: Refusals,
    onDemand: boolean,
  ) {
    this.network = network;
    this.hosts = hosts;
    this.refused = refusals.refused;
    this.current = model;
    this.services = serviceState(model);
    const leases = model.nodes
      .filter(({ flannel }) => flannel?.lease !== false)
      .map((node) => leaseOf(model, node));
    if (onDemand) this.nodes = this.nodesOnDemand(new LeaseBook(leases));
    else {
      this.nodes = new Map(model.nodes.map((node) => [node.name, addNode(network, model, node, this)]));
      for (const node of this.nodes.values()) this.joinFlannel(node, leases);
      for (const pod of model.pods) this.startPod(this.node(pod.nodeName), pod);
      const ports = this.portsByNode();
      for (const [name, node] of this.nodes) this.installRules(node, ports.get(name) ?? []);
      for (const node of this.nodes.values()) this.loadOwnRules(node);
    }
    this.announceServices();
    // the first node makes what all of them share
    const [first] = model.nodes;
    if (onDemand && first !== undefined) this.node(first.name);
  }

  private nodesOnDemand(leases: LeaseBook): ReadonlyMap<string, SimulatedNode> {
    const { network, current: model } = this;
    const models = new Map(model.nodes.map((node) => [node.name, node]));
    const nodes = new OnDemandMap(models.keys(), (name) =>
      network.quietly(() => this.makeNode(models.get(name)!, leases)),
    );
    const wake = (node: string): void => void nodes.get(node);
    this.sleeping = new SleepingNodes(model, wake);
    network.namespaces.source = this.sleeping;
    for (const node of model.nodes)
      network.segments.get(node.nic.segment)!.expect(this.sleeping.sleeperOf(node));
    return nodes;
  }

  /** A node with all that is on it, as it would be had it been made at the beginning. */
  private makeNode(model: NodeModel, leases: LeaseBook): SimulatedNode {
    const pods = this.sleeping!.leave(model.name);
    const node = addNode(this.network, this.current, model, this);
    addLeasesOnDemand(node.flannel, node.lease, leases);
    for (const pod of pods) this.startPod(node, pod);
    this.installRules(node, pods.flatMap(publishedPorts));
    this.loadOwnRules(node);
    this.listenForHealthChecks(node);
    node.nic.expectedChanges = node.netns.fib.localChanges;
    return node;
  }

  /** Nodes that have been made. */
  private awakeNodes(): Iterable<SimulatedNode> {
    return this.nodes instanceof OnDemandMap ? this.nodes.awake() : this.nodes.values();
  }

  /** A node's flannel hears of all leases, in the order of the nodes' names. */
  private joinFlannel({ flannel, lease, netns }: SimulatedNode, leases: readonly Lease[]): void {
    for (const { subnet, prefixLength, publicIP } of addLeases(flannel, lease, leases))
      this.refused.push(
        `flanneld on ${netns.name}: no route to ${formatIpv4(subnet)}/${prefixLength} via ${formatIpv4(publicIP)}`,
      );
  }

  private installRules({ netns, model }: SimulatedNode, ports: readonly PublishedPort[]): void {
    installNodeRules(netns, this.current, model, this.services, ports, this.restore);
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
    const key = podKey(namespace, name);
    const node = this.sleeping?.nodeOfPod(namespace, name) ?? null;
    if (node !== null) this.node(node);
    return this.podsByKey.get(key) ?? null;
  }

  /** The pod whose sandbox a namespace is; null for nodes and hosts. */
  podOfNetns(netns: string): SimulatedPod | null {
    this.network.namespaces.get(netns);
    return this.podsByNetns.get(netns) ?? null;
  }

  /** Every pod that has a sandbox or the node's network, in the order in which they were started. */
  pods(): Iterable<SimulatedPod> {
    if (this.sleeping !== null) for (const name of this.nodes.keys()) this.node(name);
    return this.podsByKey.values();
  }

  /** The pods of one node, in the order in which they were started. Throws RangeError when there is no such node. */
  podsOn(node: string): SimulatedPod[] {
    const on = this.node(node);
    return [...this.podsByKey.values()].filter((pod) => pod.node === on);
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
    this.sleeping?.follow(model);
    this.updatePods(model.pods.filter(({ nodeName }) => !this.sleeping?.isAsleep(nodeName)));
    this.restore.forgetTexts();
    for (const { netns, model: node } of this.awakeNodes()) {
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
      if (pod === undefined)
        this.publish(this.startPod(this.node(model.nodeName), model), [], publishedPorts(model));
      else {
        const before = publishedPorts(pod.model);
        updateContainers(pod, model, this);
        this.publish(pod, before, publishedPorts(model));
      }
    }
  }

  private startPod(node: SimulatedNode, model: PodModel): SimulatedPod {
    const pod = addPod(this.network, node, model, this);
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
    this.withdrawals = announcements(this.current).flatMap((one) => announce(one, this.current, this.hosts));
    for (const { netns, listener } of this.healthChecks) netns.sockets.close(listener);
    this.healthChecks = [];
    this.healthCheckPorts = this.current.services.flatMap(({ spec }) => spec?.healthCheckNodePort || []);
    for (const node of this.awakeNodes()) this.listenForHealthChecks(node);
  }

  private listenForHealthChecks({ netns }: SimulatedNode): void {
    for (const port of this.healthCheckPorts) {
      const listener = listen(netns, { port, protocol: "TCP" }, "kube-proxy", this);
      if (listener !== null) this.healthChecks.push({ netns, listener });
    }
  }
}
