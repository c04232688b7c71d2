import type { Sleeper } from "../../linux/device/segment.ts";
import type { NetnsSource } from "../../linux/namespace-map.ts";
import { podNetnsName } from "../docker/sandbox.ts";
import { proxyMode } from "../node-rules/proxy-mode.ts";
import { isAddress, toBlock, toNumber } from "../objects/address.ts";
import type { ClusterModel, NodeModel, PodModel } from "../objects/model.ts";
import { indexOfModel, type ModelIndex } from "../objects/model-index.ts";
import { ingressAddresses } from "./load-balancer.ts";
import { nicMac } from "./machine.ts";

/** The nodes of a cluster that have not been made, and the pods on all of them, by name. */
export class SleepingNodes implements NetnsSource {
  private readonly sleeping: Set<string>;
  private readonly wake: (node: string) => void;
  /** Addresses that every node has beside its own. */
  private readonly onEveryNode = new Set<number>();
  private index: ModelIndex;

  /** @param wake makes a node with its pods. */
  constructor(model: ClusterModel, wake: (node: string) => void) {
    this.sleeping = new Set(model.nodes.map(({ name }) => name));
    this.wake = wake;
    this.index = this.follow(model);
  }

  /** Other pods and Services are to come with the nodes. */
  follow(model: ClusterModel): ModelIndex {
    this.onEveryNode.clear();
    for (const address of addressesOnEveryNode(model)) this.onEveryNode.add(address);
    this.index = indexOfModel(model);
    return this.index;
  }

  /** A node is being made: here are its pods. */
  leave(node: string): readonly PodModel[] {
    this.sleeping.delete(node);
    return this.index.podsOn(node);
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

  /** The node of a pod, if it sleeps. */
  nodeOfPod(namespace: string, name: string): string | null {
    const node = this.index.pod(namespace, name)?.nodeName;
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
      for (const { hostNetwork, namespace, name } of this.index.podsOn(node))
        if (!hostNetwork) yield podNetnsName(node, namespace, name);
    }
  }

  /** NODE, or NODE/NAMESPACE/POD. */
  private nodeOf(netns: string): string | null {
    const slash = netns.indexOf("/");
    if (slash < 0) return this.sleeping.has(netns) ? netns : null;
    const node = netns.slice(0, slash);
    return this.sleeping.has(node) && this.index.podOfNetns(netns) !== undefined ? node : null;
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
