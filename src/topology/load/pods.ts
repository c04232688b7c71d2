/** Pods: those workloads want, a node for each, an address, free host ports. */
import type { Pod } from "kubernetes-types/core/v1.js";
import { hostPortTable } from "../../cluster/controllers/host-port.ts";
import {
  allocatePodAddresses,
  type PodAddress,
  type PodSubnet,
} from "../../cluster/controllers/pod-address.ts";
import { applyReplication, replicate } from "../../cluster/controllers/replication.ts";
import { type Placement, schedule } from "../../cluster/controllers/schedule.ts";
import { toBlock } from "../../cluster/objects/address.ts";
import type { NodeModel, PodModel, PodWithoutSandbox } from "../../cluster/objects/model.ts";
import { didYouMean } from "../../cluster/objects/nearest.ts";
import { hostPortsOf, isTerminal, phaseOf } from "../../cluster/objects/pod.ts";
import { inKeyOrder, keyOf, nameOf, namespaceOf, type ObjectStore } from "../../cluster/objects/store.ts";
import { isSimulated, sysctlFault } from "../../cluster/objects/sysctl.ts";
import type { Context } from "./context.ts";
import { bindByAddress, podHomes } from "./pod-home.ts";
import { completePod, podModel } from "./pod-model.ts";

/** The pods of the model, and the store with every pod complete. */
export interface ResolvedPods {
  store: ObjectStore;
  pods: PodModel[];
  podsWithoutSandbox: PodWithoutSandbox[];
}

/** Replicates, schedules and addresses the pods of the topology. */
export function resolvePods(loaded: Context, nodes: readonly NodeModel[]): ResolvedPods {
  const homes = podHomes(nodes);
  const replicated = applyReplication(loaded.objects.store, replicate(loaded.objects.store));
  const context = loaded.withStore(replicated);
  const bound = inKeyOrder(replicated.pods).map((pod) => bindByAddress(pod, homes, context));
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
