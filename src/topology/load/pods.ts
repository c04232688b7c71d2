/** Pods: those workloads want, a node for each, an address, free host ports. */
import type { Container, Pod } from "kubernetes-types/core/v1.js";
import { hostPortTable } from "../../cluster/controllers/host-port.ts";
import {
  allocatePodAddresses,
  type PodAddress,
  type PodSubnet,
} from "../../cluster/controllers/pod-address.ts";
import { applyReplication, replicate } from "../../cluster/controllers/replication.ts";
import { type Placement, schedule } from "../../cluster/controllers/schedule.ts";
import { isAddress, toBlock, toNumber } from "../../cluster/objects/address.ts";
import type {
  ContainerModel,
  NodeModel,
  PodModel,
  PodWithoutSandbox,
  Protocol,
} from "../../cluster/objects/model.ts";
import { didYouMean } from "../../cluster/objects/nearest.ts";
import { hostPortsOf, isContainerReady, isReady, isTerminal, phaseOf } from "../../cluster/objects/pod.ts";
import { inKeyOrder, keyOf, nameOf, namespaceOf, type ObjectStore } from "../../cluster/objects/store.ts";
import { isSimulated, sysctlFault, toSysctls } from "../../cluster/objects/sysctl.ts";
import type { Context } from "./context.ts";

/** The pods of the model, and the store with every pod complete. */
export interface ResolvedPods {
  store: ObjectStore;
  pods: PodModel[];
  podsWithoutSandbox: PodWithoutSandbox[];
}

/** Replicates, schedules and addresses the pods of the topology. */
export function resolvePods(context: Context, nodes: readonly NodeModel[]): ResolvedPods {
  const replicated = applyReplication(context.objects.store, replicate(context.objects.store));
  const bound = inKeyOrder(replicated.pods).map((pod) => bindByAddress(pod, nodes, context));
  for (const pod of bound) checkPod(pod, context);
  const placements = schedule(bound, inKeyOrder(replicated.nodes));
  const placed = bound.map((pod) => bind(pod, placements.get(keyOf(pod))));
  checkHostPorts(placed, context);
  const subnets = new Map<string, PodSubnet>();
  for (const { name, internalIP, podCIDR } of nodes)
    subnets.set(name, { nodeName: name, internalIP, block: toBlock(podCIDR) });
  const needy = placed.filter((pod) => needsSandbox(pod));
  const addresses = allocatePodAddresses(needy, subnets, (...fault) => context.report(...fault));
  const complete = placed.map((pod) => completePod(pod, addresses.get(keyOf(pod)), subnets));
  const result: ResolvedPods = {
    store: { ...replicated, pods: new Map(complete.map((pod) => [keyOf(pod), pod])) },
    pods: [],
    podsWithoutSandbox: [],
  };
  for (const pod of complete)
    sort(pod, placements.get(keyOf(pod)), addresses.get(keyOf(pod)), result, context);
  return result;
}

/** A pod that says its address but not its node stands on the node whose subnet that is. */
function bindByAddress(pod: Pod, nodes: readonly NodeModel[], context: Context): Pod {
  const podIP = pod.status?.podIP;
  if (pod.spec?.nodeName !== undefined || podIP === undefined || !isAddress(podIP)) return pod;
  const number = toNumber(podIP);
  const home = homeOf(number, nodes, pod.spec?.hostNetwork === true);
  if (home !== null) return { ...pod, spec: { ...pod.spec, nodeName: home } as Pod["spec"] & object };
  if (![...context.objects.broken].some((key) => key.startsWith("Node/")))
    context.report(pod, ["status", "podIP"], `${podIP} lies in no Node's podCIDR`);
  const { podIP: _, ...status } = pod.status ?? {};
  return { ...pod, status };
}

const blocksOf = new WeakMap<readonly NodeModel[], { base: number; end: number; name: string }[]>();

function homeOf(address: number, nodes: readonly NodeModel[], hostNetwork: boolean): string | null {
  if (hostNetwork) return nodes.find(({ internalIP }) => toNumber(internalIP) === address)?.name ?? null;
  let blocks = blocksOf.get(nodes);
  if (blocks === undefined) {
    blocks = nodes
      .map(({ name, podCIDR }) => ({ name, ...toBlock(podCIDR) }))
      .map(({ name, base, size }) => ({ name, base, end: base + size }))
      .sort((a, b) => a.base - b.base);
    blocksOf.set(nodes, blocks);
  }
  let low = 0;
  let high = blocks.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const block = blocks[middle]!;
    if (address < block.base) high = middle - 1;
    else if (address >= block.end) low = middle + 1;
    else return block.name;
  }
  return null;
}

function checkPod(pod: Pod, { objects, report }: Context): void {
  const nodeName = pod.spec?.nodeName;
  const { nodes } = objects.store;
  if (nodeName !== undefined && !nodes.has(nodeName) && !objects.broken.has(`Node//${nodeName}`))
    report(pod, ["spec", "nodeName"], `there is no Node "${nodeName}"${didYouMean(nodeName, nodes.keys())}`);
  const containers = new Map<string, number>();
  const portNames = new Map<string, string>();
  for (const [i, { name, ports = [] }] of (pod.spec?.containers ?? []).entries()) {
    const path = ["spec", "containers", i];
    const twin = containers.get(name);
    if (twin !== undefined)
      report(pod, [...path, "name"], `"${name}" is the name of spec.containers[${twin}] already`);
    containers.set(name, i);
    for (const [j, port] of ports.entries()) {
      if (port.name === undefined) continue;
      const holder = portNames.get(port.name);
      const text = `"${port.name}" is the name of a port of container ${holder} already`;
      if (holder !== undefined) report(pod, [...path, "ports", j, "name"], text);
      portNames.set(port.name, name);
    }
  }
  for (const [i, { name, value }] of (pod.spec?.securityContext?.sysctls ?? []).entries()) {
    const text = isSimulated(name) ? sysctlFault(name, value) : null;
    if (text !== null) report(pod, ["spec", "securityContext", "sysctls", i, "value"], `${name}: ${text}`);
  }
}

/** Two pods of one node that publish one port: docker refuses the second. */
function checkHostPorts(pods: readonly Pod[], { report }: Context): void {
  const tables = new Map<string, ReturnType<typeof hostPortTable>>();
  for (const pod of pods) {
    const nodeName = pod.spec?.nodeName;
    if (nodeName === undefined || isTerminal(pod)) continue;
    const table = tables.get(nodeName) ?? hostPortTable();
    tables.set(nodeName, table);
    for (const port of hostPortsOf(pod)) {
      const holder = table.holderOf(port);
      const text = `${port.hostPort}/${port.protocol} of Node ${nodeName} is taken by Pod ${holder} already`;
      if (holder !== null) report(pod, port.path, text);
      table.take(port, keyOf(pod));
    }
  }
}

function bind(pod: Pod, placement: Placement | undefined): Pod {
  if (placement === undefined || placement.nodeName === null || pod.spec === undefined) return pod;
  return { ...pod, spec: { ...pod.spec, nodeName: placement.nodeName } };
}

/** A pod has a sandbox unless it has ended, has no node, or says that it is still Pending and has no address yet. */
function needsSandbox(pod: Pod): boolean {
  if (isTerminal(pod) || pod.spec?.nodeName === undefined) return false;
  return pod.status?.phase !== "Pending" || pod.status.podIP !== undefined;
}

/** The pod with the status its kubelet would report: address, phase, readiness. */
function completePod(
  pod: Pod,
  address: PodAddress | undefined,
  subnets: ReadonlyMap<string, PodSubnet>,
): Pod {
  const base: Pod = {
    ...pod,
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...pod.metadata, namespace: namespaceOf(pod) },
  };
  if (address === undefined || address.ip === null)
    return { ...base, status: { ...pod.status, phase: phaseOf(pod) } };
  const hostIP = subnets.get(pod.spec?.nodeName ?? "")?.internalIP;
  const conditions = pod.status?.conditions ?? [{ type: "Ready", status: isReady(pod) ? "True" : "False" }];
  return {
    ...base,
    status: {
      ...pod.status,
      phase: phaseOf(pod),
      conditions,
      ...(hostIP === undefined ? {} : { hostIP }),
      podIP: address.ip,
      podIPs: [{ ip: address.ip }],
    },
  };
}

function sort(
  pod: Pod,
  placement: Placement | undefined,
  address: PodAddress | undefined,
  { pods, podsWithoutSandbox }: ResolvedPods,
  context: Context,
): void {
  const phase = phaseOf(pod);
  const without = (reason: string) => {
    const ended = phase === "Succeeded" || phase === "Failed" ? phase : "Pending";
    podsWithoutSandbox.push({ namespace: namespaceOf(pod), name: nameOf(pod), phase: ended, reason });
  };
  if (isTerminal(pod)) without(phase);
  else if (placement?.nodeName === null) {
    context.warn(pod, [], `stays Pending: ${placement.message}`);
    without(placement.message);
  } else if (address?.ip === null) {
    context.warn(pod, [], `stays Pending: ${address.message}`);
    without(address.message);
  } else if (address === undefined) without("ContainerCreating");
  else pods.push(podModel(pod, address.ip));
}

function podModel(pod: Pod, ip: string): PodModel {
  const phase = phaseOf(pod);
  const hostNetwork = pod.spec?.hostNetwork === true;
  const settings = (pod.spec?.securityContext?.sysctls ?? []).filter(({ name }) => isSimulated(name));
  return {
    namespace: namespaceOf(pod),
    name: nameOf(pod),
    nodeName: pod.spec?.nodeName ?? "",
    ip,
    hostNetwork,
    ready: isReady(pod),
    terminating: pod.metadata?.deletionTimestamp !== undefined,
    phase: phase === "Pending" || phase === "Unknown" ? phase : "Running",
    labels: { ...pod.metadata?.labels },
    containers: (pod.spec?.containers ?? []).map((container) => containerModel(pod, container, hostNetwork)),
    ...toSysctls(Object.fromEntries(settings.map(({ name, value }) => [name, value]))),
  };
}

function containerModel(
  pod: Pod,
  { name, image = "", ports = [] }: Container,
  hostNetwork: boolean,
): ContainerModel {
  return {
    name,
    image,
    ready: isContainerReady(pod, name),
    ports: ports.map((port) => ({
      name: port.name ?? null,
      containerPort: port.containerPort,
      protocol: (port.protocol ?? "TCP") as Protocol,
      hostPort: hostNetwork || !port.hostPort ? null : port.hostPort,
      hostIP: port.hostIP ?? "0.0.0.0",
    })),
  };
}
