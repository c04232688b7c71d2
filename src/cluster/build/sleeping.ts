import type { Sleeper } from "../../linux/device/segment.ts";
import type { NetnsSource } from "../../linux/namespace-map.ts";
import { podNetnsName } from "../docker/sandbox.ts";
import { proxyMode } from "../node-rules/proxy-mode.ts";
import { toBlock } from "../objects/address.ts";
import type { ClusterModel, NodeModel, PodModel } from "../objects/model.ts";
import { nicMac } from "./machine.ts";

const NO_PODS: readonly PodModel[] = [];

/** The nodes of a cluster that have not been made, and the pods on all of them, by name. */
export class SleepingNodes implements NetnsSource {
  private readonly sleeping: Set<string>;
  private readonly wake: (node: string) => void;
  private podsByNode: ReadonlyMap<string, readonly PodModel[]> = new Map();
  private pods: ReadonlyMap<string, PodModel> = new Map();

  /** @param wake makes a node with its pods. */
  constructor({ nodes, pods }: ClusterModel, wake: (node: string) => void) {
    this.sleeping = new Set(nodes.map(({ name }) => name));
    this.wake = wake;
    this.follow(pods);
  }

  /** Other pods are to come with the nodes. */
  follow(pods: readonly PodModel[]): void {
    const byNode = new Map<string, PodModel[]>();
    for (const pod of pods) {
      const known = byNode.get(pod.nodeName);
      if (known === undefined) byNode.set(pod.nodeName, [pod]);
      else known.push(pod);
    }
    this.podsByNode = byNode;
    this.pods = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
  }

  /** A node is being made: here are its pods. */
  leave(node: string): readonly PodModel[] {
    this.sleeping.delete(node);
    return this.podsByNode.get(node) ?? NO_PODS;
  }

  isAsleep(node: string): boolean {
    return this.sleeping.has(node);
  }

  /** The node of `NAMESPACE/NAME`, if it sleeps. */
  nodeOfPod(key: string): string | null {
    const node = this.pods.get(key)?.nodeName;
    return node !== undefined && this.sleeping.has(node) ? node : null;
  }

  has(netns: string): boolean {
    return this.nodeOf(netns) !== null;
  }

  make(netns: string): void {
    const node = this.nodeOf(netns);
    if (node !== null) this.wake(node);
  }

  *names(): Iterable<string> {
    for (const node of this.sleeping) {
      yield node;
      for (const { hostNetwork, namespace, name } of this.podsByNode.get(node) ?? NO_PODS)
        if (!hostNetwork) yield podNetnsName(node, namespace, name);
    }
  }

  /** NODE, or NODE/NAMESPACE/POD. */
  private nodeOf(netns: string): string | null {
    const slash = netns.indexOf("/");
    if (slash < 0) return this.sleeping.has(netns) ? netns : null;
    const node = netns.slice(0, slash);
    if (!this.sleeping.has(node)) return null;
    const pod = this.pods.get(netns.slice(slash + 1));
    return pod?.nodeName === node && !pod.hostNetwork ? node : null;
  }
}

/** What the wire knows of a node that sleeps. */
export function sleeperOf(cluster: ClusterModel, node: NodeModel, wake: () => void): Sleeper {
  const { nic, docker, podCIDR } = node;
  const blocks = [...nic.addresses, docker.address].map((text) => toBlock(text).address);
  return {
    mac: nicMac(node.name, nic.name),
    // IPVS gives a node the address of every Service
    addresses: proxyMode(cluster) === "ipvs" ? null : [...blocks, toBlock(podCIDR).base],
    wake,
  };
}
