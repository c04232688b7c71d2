import type { Netns } from "../../linux/netns.ts";
import type { Network } from "../../linux/network.ts";
import type { Listener } from "../../linux/socket/socket-table.ts";
import type { PublishedPort } from "../docker/iptables.ts";
import { addPodSandbox, type PodSandbox, podNetnsName, removePodSandbox } from "../docker/sandbox.ts";
import { toNumber } from "../objects/address.ts";
import type { PodModel } from "../objects/model.ts";
import { stableHex } from "./identity.ts";
import { applySysctls, listen, PROTOCOL_NAMES } from "./machine.ts";
import type { SimulatedNode } from "./node.ts";
import type { Refusals } from "./refusals.ts";

/** A pod of the simulated cluster. */
export interface SimulatedPod {
  model: PodModel;
  readonly node: SimulatedNode;
  /** The pause container's namespace; the node's own under `hostNetwork`. */
  readonly netns: Netns;
  /** Null under `hostNetwork`. */
  readonly sandbox: PodSandbox | null;
  /** What the containers listen on now, and docker-proxy for them on the node. */
  listeners: { readonly netns: Netns; readonly listener: Listener }[];
}

/** Starts a pod on its node: sandbox, containers, and docker-proxy for each published port. Its rules are the caller's business. */
export function addPod(
  network: Network,
  node: SimulatedNode,
  model: PodModel,
  refusals: Refusals,
): SimulatedPod {
  const sandbox = model.hostNetwork ? null : startSandbox(network, node, model);
  const pod: SimulatedPod = { model, node, netns: sandbox?.netns ?? node.netns, sandbox, listeners: [] };
  openListeners(pod, refusals);
  return pod;
}

function startSandbox(network: Network, node: SimulatedNode, model: PodModel): PodSandbox {
  const { namespace, name, ip } = model;
  const { hairpin, mtu } = node.model.docker;
  return addPodSandbox(network, node.netns, node.bridge, {
    namespace,
    name,
    address: ip,
    mtu,
    hairpin,
    vethName: freeVethName(node.netns, podNetnsName(node.model.name, namespace, name)),
    prepare: (netns) => {
      inheritConf(netns, node.netns);
      applySysctls(netns, model);
    },
  });
}

/** `veth` and seven hexadecimal digits, as docker draws them (libnetwork netutils: GenerateIfaceName). */
function freeVethName(node: Netns, pod: string): string {
  for (let i = 0; ; i++) {
    const name = `veth${stableHex(i === 0 ? pod : `${pod}#${i}`, 7)}`;
    if (!node.devices.has(name)) return name;
  }
}

/**
 * A new namespace begins with the settings of net.ipv4.conf that the node has at that time
 * (net/ipv4/devinet.c: devinet_init_net), so a pod forwards and filters reverse paths as its node does.
 */
function inheritConf(pod: Netns, node: Netns): void {
  Object.assign(pod.sysctl.all, node.sysctl.all);
  Object.assign(pod.sysctl.default, node.sysctl.default);
  Object.assign(pod.loopback.conf, node.sysctl.default);
}

/** The containers' ports that docker publishes on the node. */
export function publishedPorts({ hostNetwork, ip, containers }: PodModel): PublishedPort[] {
  if (hostNetwork) return [];
  return containers.flatMap(({ ports }) =>
    ports.flatMap(({ hostPort, hostIP, containerPort, protocol }) =>
      hostPort === null
        ? []
        : [{ protocol: PROTOCOL_NAMES[protocol], hostIP, hostPort, containerAddress: ip, containerPort }],
    ),
  );
}

/**
 * Every container that is ready listens on its ports; docker-proxy, docker's user-space proxy, listens on every
 * published one on the node (libnetwork portmapper/proxy.go), where it gets what DOCKER's rules do not translate.
 */
function openListeners(pod: SimulatedPod, refusals: Refusals): void {
  const { netns, node, model } = pod;
  const keep = (at: Netns, listener: Listener | null) => {
    if (listener !== null) pod.listeners.push({ netns: at, listener });
  };
  for (const { ready, name, ports } of model.containers) {
    if (!ready) continue;
    for (const { containerPort: port, protocol } of ports)
      keep(netns, listen(netns, { port, protocol }, name, refusals));
  }
  for (const { hostPort: port, hostIP, protocol } of publishedPorts(model)) {
    const owner = "docker-proxy";
    keep(
      node.netns,
      listen(node.netns, { port, protocol: KUBERNETES_NAMES[protocol] }, owner, refusals, toNumber(hostIP)),
    );
  }
}

const KUBERNETES_NAMES = { tcp: "TCP", udp: "UDP", sctp: "SCTP" } as const;

function closeListeners(pod: SimulatedPod): void {
  for (const { netns, listener } of pod.listeners) netns.sockets.close(listener);
  pod.listeners = [];
}

/** Is `model` the same sandbox, so that only containers may have changed? */
export const sameSandbox = (pod: SimulatedPod, model: PodModel): boolean =>
  pod.model.nodeName === model.nodeName &&
  pod.model.ip === model.ip &&
  pod.model.hostNetwork === model.hostNetwork;

/** The pod's containers have changed: who is ready listens, who is not does not. Connections that stand go on. */
export function updateContainers(pod: SimulatedPod, model: PodModel, refusals: Refusals): void {
  const changed = JSON.stringify(pod.model.containers) !== JSON.stringify(model.containers);
  pod.model = model;
  if (!changed) return;
  closeListeners(pod);
  openListeners(pod, refusals);
}

/** The pod is gone, with its sandbox and everybody who listened. */
export function removePod(network: Network, pod: SimulatedPod): void {
  closeListeners(pod);
  if (pod.sandbox !== null) removePodSandbox(network, pod.sandbox);
}
