/**
 * The scheduler: pods without a node get one.
 *
 * A pod goes to a node that fits it (selector, affinity, taints, free host ports) and has the fewest pods, the first by
 * name among equals. A `nodeName` that is set is honoured whatever the node says, as the kubelet would.
 */
import type { Node, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { hostPortsOf, isTerminal } from "../objects/pod.ts";
import { keyOf, nameOf } from "../objects/store.ts";
import { type HostPortTable, hostPortTable } from "./host-port.ts";
import { unfitReason } from "./node-fit.ts";

/** Where a pod goes; null with kube-scheduler's message when it goes nowhere. */
export type Placement = { nodeName: string } | { nodeName: null; message: string };

/** Places every pod without a node, in the given order. The result holds those alone, by key. */
export function schedule(pods: readonly Pod[], nodes: readonly Node[]): Map<string, Placement> {
  const state = occupy(pods, nodes);
  const placements = new Map<string, Placement>();
  for (const pod of pods) {
    if (pod.spec?.nodeName !== undefined || isTerminal(pod)) continue;
    placements.set(keyOf(pod), place(pod, state));
  }
  return placements;
}

interface Scheduling {
  nodes: readonly Node[];
  podCount: Map<string, number>;
  ports: Map<string, HostPortTable>;
  /** Nodes that fit pods of one set of constraints, by those constraints. */
  fitting: Map<string, NodeQueue>;
}

function occupy(pods: readonly Pod[], nodes: readonly Node[]): Scheduling {
  const podCount = new Map(nodes.map((node) => [nameOf(node), 0]));
  const ports = new Map(nodes.map((node) => [nameOf(node), hostPortTable()]));
  for (const pod of pods) {
    const nodeName = pod.spec?.nodeName;
    if (nodeName === undefined || isTerminal(pod)) continue;
    podCount.set(nodeName, (podCount.get(nodeName) ?? 0) + 1);
    for (const port of hostPortsOf(pod)) ports.get(nodeName)?.take(port, keyOf(pod));
  }
  return { nodes, podCount, ports, fitting: new Map() };
}

function place(pod: Pod, state: Scheduling): Placement {
  const queue = fittingNodes(pod.spec ?? { containers: [] }, state);
  const wanted = hostPortsOf(pod);
  const nodeName = queue.takeLeast(state.podCount, (name) => {
    const table = state.ports.get(name);
    return wanted.every((port) => table?.holderOf(port) === null);
  });
  if (nodeName === null) return { nodeName: null, message: fitError(pod, state) };
  state.podCount.set(nodeName, (state.podCount.get(nodeName) ?? 0) + 1);
  for (const port of wanted) state.ports.get(nodeName)?.take(port, keyOf(pod));
  return { nodeName };
}

function fittingNodes(spec: PodSpec, state: Scheduling): NodeQueue {
  const { nodeSelector = {}, affinity = {}, tolerations = [] } = spec;
  const constraints = JSON.stringify([nodeSelector, affinity, tolerations]);
  let queue = state.fitting.get(constraints);
  if (queue === undefined) {
    queue = new NodeQueue(state.nodes.filter((node) => unfitReason(spec, node) === null).map(nameOf));
    state.fitting.set(constraints, queue);
  }
  return queue;
}

/** `framework.FitError.Error`: how many nodes refused, for which reasons, in alphabetical order. */
function fitError(pod: Pod, { nodes }: Scheduling): string {
  const reasons = new Map<string, number>();
  for (const node of nodes) {
    const reason =
      unfitReason(pod.spec ?? { containers: [] }, node) ??
      "node(s) didn't have free ports for the requested pod ports";
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (nodes.length === 0) return "no nodes available to schedule pods";
  const texts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodes.length} nodes are available: ${texts.join(", ")}.`;
}

interface QueueEntry {
  name: string;
  count: number;
}

/**
 * Nodes in order of pod count, then name: a binary heap whose entries may be out of date. Counts only grow, so an entry
 * that turns out too low when it surfaces is sunk again.
 */
class NodeQueue {
  private readonly heap: QueueEntry[];

  constructor(names: readonly string[]) {
    this.heap = [...names].sort().map((name) => ({ name, count: 0 }));
  }

  /** The node with the fewest pods among those that `fits`, or null. */
  takeLeast(podCount: ReadonlyMap<string, number>, fits: (name: string) => boolean): string | null {
    const refused: QueueEntry[] = [];
    let found: string | null = null;
    while (found === null && this.heap.length > 0) {
      const top = this.heap[0]!;
      const count = podCount.get(top.name) ?? 0;
      if (count !== top.count) {
        this.heap[0] = { name: top.name, count };
        this.sink(0);
      } else if (fits(top.name)) found = top.name;
      else refused.push(this.pop());
    }
    for (const entry of refused) this.push(entry);
    return found;
  }

  private pop(): QueueEntry {
    const top = this.heap[0]!;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.sink(0);
    }
    return top;
  }

  private push(entry: QueueEntry): void {
    let at = this.heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(this.heap[at]!, this.heap[parent]!)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private sink(from: number): void {
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.heap.length && precedes(this.heap[child]!, this.heap[least]!)) least = child;
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(i: number, j: number): void {
    const entry = this.heap[i]!;
    this.heap[i] = this.heap[j]!;
    this.heap[j] = entry;
  }
}

function precedes(a: QueueEntry, b: QueueEntry): boolean {
  return a.count !== b.count ? a.count < b.count : a.name < b.name;
}
