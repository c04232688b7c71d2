/** Who can play a part in a flow: pods by node, listeners, machines, free addresses. */
import { contains, toBlock, toNumber, toText } from "../../cluster/objects/address.ts";
import type {
  ClusterModel,
  HostModel,
  ListenPort,
  NodeModel,
  PodModel,
} from "../../cluster/objects/model.ts";
import type { TraceProtocol, TraceRequest } from "../../trace/request.ts";

/** Pods with a namespace of their own, of one node or of all. */
export const sandboxPods = ({ pods }: ClusterModel, node?: NodeModel): PodModel[] =>
  pods.filter(({ hostNetwork, nodeName }) => !hostNetwork && (node === undefined || nodeName === node.name));

export const podRef = ({ namespace, name }: PodModel): string => `pod/${namespace}/${name}`;

/** Ports on which somebody in the pod listens now. */
export const listeningPorts = ({ containers }: PodModel): ListenPort[] =>
  containers
    .filter(({ ready }) => ready)
    .flatMap(({ ports }) => ports.map(({ containerPort: port, protocol }) => ({ port, protocol })));

export const protocolOf = (protocol: string): TraceProtocol =>
  protocol === "UDP" ? "udp" : protocol === "SCTP" ? "sctp" : "tcp";

/** A flow that has an answer: to a port that somebody listens on, else a ping. */
export function flowTo(from: string, target: string, listening: readonly ListenPort[]): TraceRequest {
  const port = listening.find(({ protocol }) => protocol === "TCP") ?? listening[0];
  if (port === undefined) return { from, to: target, protocol: "icmp" };
  return { from, to: `${target}:${port.port}`, protocol: protocolOf(port.protocol) };
}

/** A flow from any namespace to a pod. */
export const flowToPod = (from: string, pod: PodModel): TraceRequest =>
  flowTo(from, podRef(pod), listeningPorts(pod));

/** A flow to one of a host's addresses. */
export const flowToHost = (from: string, host: HostModel, address = addressesOf(host)[0]!): TraceRequest =>
  flowTo(from, address, host.listen);

/** Addresses of a host, without lengths. */
export const addressesOf = ({ nics }: HostModel): string[] =>
  nics.flatMap(({ addresses }) => addresses.map((one) => one.slice(0, one.indexOf("/"))));

/** Flows between pods of other nodes and those of this one: to it, then from it. */
export function crossNodeFlows(model: ClusterModel, node: NodeModel): { from: PodModel; to: PodModel }[] {
  const [here] = listenersFirst(sandboxPods(model, node));
  const flows: { from: PodModel; to: PodModel }[] = [];
  if (here === undefined) return flows;
  for (const other of model.nodes) {
    const [there] = listenersFirst(sandboxPods(model, other));
    if (other.name === node.name || there === undefined) continue;
    flows.push({ from: there, to: here });
    if (flows.length >= MAX_PEERS) break;
  }
  return [...flows, ...flows.map(({ from, to }) => ({ from: to, to: from }))];
}

const MAX_PEERS = 3;

const listenersFirst = (pods: readonly PodModel[]): PodModel[] =>
  [...pods].sort((a, b) => Number(listeningPorts(b).length > 0) - Number(listeningPorts(a).length > 0));

/**
 * Somebody who reaches a node from outside it: hosts that no Service is balanced by, else the other nodes, as
 * `host/NAME` and `node/NAME`.
 */
export function clientsOf({ hosts, nodes }: ClusterModel, node: NodeModel): string[] {
  const near = hosts.filter(({ nics }) => nics.some(({ segment }) => segment === node.nic.segment));
  return [
    ...near.filter(({ routes }) => routes.length === 0).map(({ name }) => `host/${name}`),
    ...nodes.filter(({ name }) => name !== node.name).map(({ name }) => `node/${name}`),
  ];
}

/** An address of a block that nothing has; null when all are taken. */
export function freeAddress(model: ClusterModel, block: string): string | null {
  const { base, size } = toBlock(block);
  const taken = new Set([
    ...model.pods.map(({ ip }) => ip),
    ...model.nodes.flatMap(({ internalIP, docker }) => [internalIP, docker.address.split("/")[0]]),
    ...model.hosts.flatMap(addressesOf),
    ...model.services.flatMap(({ spec }) => spec?.clusterIP ?? []),
    ...model.segments.flatMap(({ gateway }) => gateway ?? []),
  ]);
  for (let i = 2; i < Math.min(size - 1, 65536); i++) {
    const text = toText(base + i);
    if (!taken.has(text) && !model.nodes.some(({ podCIDR }) => isForeign(podCIDR, block, base + i)))
      return text;
  }
  return null;
}

/** Does an address lie in a node's subnet although another block was asked for? */
const isForeign = (podCIDR: string, block: string, address: number): boolean =>
  podCIDR !== block && contains(toBlock(podCIDR), address);

/** The node or host that has an address; null when it is nobody's. */
export function machineOf({ nodes, hosts }: ClusterModel, address: string): string | null {
  const node = nodes.find(({ internalIP }) => internalIP === address);
  if (node !== undefined) return node.name;
  return hosts.find((host) => addressesOf(host).includes(address))?.name ?? null;
}

/** Is the address in the block? */
export const within = (block: string, address: string): boolean =>
  contains(toBlock(block), toNumber(address));
