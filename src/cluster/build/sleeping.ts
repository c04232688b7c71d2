import type { Sleeper } from "../../linux/device/segment.ts";
import type { NetnsSource } from "../../linux/namespace-map.ts";
import { podNetnsName } from "../docker/sandbox.ts";
import { proxyMode } from "../node-rules/proxy-mode.ts";
import { isAddress, toBlock, toNumber } from "../objects/address.ts";
import type { ClusterModel, NodeModel, PodModel } from "../objects/model.ts";
import { ingressAddresses } from "./load-balancer.ts";
import { nicMac } from "./machine.ts";

const NO_PODS: readonly PodModel[] = [];

/** The nodes of a cluster that have not been made, and the pods on all of them, by name. */
export class SleepingNodes implements NetnsSource {
  private readonly sleeping: Set<string>;
  private readonly wake: (node: string) => void;
  /** Addresses that every node has beside its own. */
  private readonly onEveryNode = new Set<number>();
  private podsByNode: ReadonlyMap<string, readonly PodModel[]> = new Map();
  private pods: ReadonlyMap<string, PodModel> = new Map();

  /** @param wake makes a node with its pods. */
  constructor(model: ClusterModel, wake: (node: string) => void) {
    this.sleeping = new Set(model.nodes.map(({ name }) => name));
    this.wake = wake;
    this.follow(model);
  }

  /** Other pods and Services are to come with the nodes. */
  follow(model: ClusterModel): void {
    const { pods } = model;
    this.onEveryNode.clear();
    for (const address of addressesOnEveryNode(model)) this.onEveryNode.add(address);
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

  /** What the wire knows of a node that sleeps. */
  sleeperOf({ name, nic, docker, podCIDR }: NodeModel): Sleeper {
    const texts = [...nic.addresses, docker.address];
    return {
      mac: nicMac(name, nic.name),
      addresses: [...texts.map((text) => toBlock(text).address), toBlock(podCIDR).base],
      sharedAddresses: this.onEveryNode,
      wake: () => this.wake(name),
    };
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

/** IPVS gives every node the addresses of all Services, whether they have endpoints or not. */
function addressesOnEveryNode(model: ClusterModel): number[] {
  if (proxyMode(model) !== "ipvs") return [];
  const texts = model.services.flatMap((service) => [
    service.spec?.clusterIP ?? "",
    ...(service.spec?.externalIPs ?? []),
    ...ingressAddresses(service),
  ]);
  return texts.filter(isAddress).map(toNumber);
}
