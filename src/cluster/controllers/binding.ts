/** The scheduler on a live cluster: binds pods in the order in which they were made, and says why one cannot be bound. */
import type { Node, Pod } from "kubernetes-types/core/v1.js";
import { hostPortsOf, isTerminal } from "../objects/pod.ts";
import { inKeyOrder, keyOf, nameOf } from "../objects/store.ts";
import { type Changes, type ClusterState, NO_CHANGES, together } from "./cluster-state.ts";
import type { EventNote } from "./event.ts";
import { hostPortTable } from "./host-port.ts";
import { timeText } from "./moment.ts";
import { unfitReason } from "./node-fit.ts";
import { schedule } from "./schedule.ts";

/** One step of the scheduler. */
export function bindPods({ store, now }: ClusterState): Changes {
  const pods = [...store.pods.values()];
  const waiting = pods.filter((pod) => pod.spec?.nodeName === undefined && !isTerminal(pod));
  if (waiting.length === 0) return NO_CHANGES;
  const nodes = inKeyOrder(store.nodes);
  const placements = schedule(pods, nodes);
  return together(
    waiting.map((pod) => {
      const placement = placements.get(keyOf(pod));
      if (placement === undefined) return NO_CHANGES;
      return placement.nodeName === null
        ? unschedulable(pod, fitError(pod, nodes, pods), now)
        : bind(pod, placement.nodeName, now);
    }),
  );
}

function bind(pod: Pod, nodeName: string, now: number): Changes {
  const bound: Pod = {
    ...pod,
    spec: { ...(pod.spec ?? { containers: [] }), nodeName },
    status: {
      ...pod.status,
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: timeText(now) }],
    },
  };
  const event: EventNote = {
    about: pod,
    type: "Normal",
    reason: "Scheduled",
    message: `Successfully assigned ${nameOf(pod)} to ${nodeName}`,
    component: "default-scheduler",
  };
  return { put: [bound], remove: [], events: [event] };
}

/** The pod stays Pending; said once as long as the reason is the same. */
function unschedulable(pod: Pod, message: string, now: number): Changes {
  const before = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (before?.status === "False" && before.message === message) return NO_CHANGES;
  const lastTransitionTime = timeText(now);
  const condition = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    lastTransitionTime,
  };
  const put: Pod[] = [{ ...pod, status: { ...pod.status, phase: "Pending", conditions: [condition] } }];
  const event: EventNote = {
    about: pod,
    type: "Warning",
    reason: "FailedScheduling",
    message,
    component: "default-scheduler",
  };
  return { put, remove: [], events: [event] };
}

/**
 * `FitError.Error` of 1.6 to 1.8 (plugin/pkg/scheduler/core/generic_scheduler.go): how many nodes failed which predicate.
 * Nodes that take no pods at all are not looked at.
 */
function fitError(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): string {
  const asked = nodes.filter(({ spec }) => spec?.unschedulable !== true);
  if (asked.length === 0) return "no nodes available to schedule pods";
  const failures = new Map<string, number>();
  for (const node of asked) {
    const failed =
      predicateOf(unfitReason(pod.spec ?? { containers: [] }, node)) ?? portsPredicate(pod, node, pods);
    if (failed !== null) failures.set(failed, (failures.get(failed) ?? 0) + 1);
  }
  const texts = [...failures].map(([predicate, count]) => `${predicate} (${count})`).sort();
  return `No nodes are available that match all of the following predicates:: ${texts.join(", ")}.`;
}

function predicateOf(reason: string | null): string | null {
  if (reason === null) return null;
  return reason.includes("taint") ? "PodToleratesNodeTaints" : "MatchNodeSelector";
}

function portsPredicate(pod: Pod, node: Node, pods: readonly Pod[]): string | null {
  const table = hostPortTable();
  for (const one of pods) {
    if (one.spec?.nodeName !== nameOf(node) || isTerminal(one)) continue;
    for (const port of hostPortsOf(one)) table.take(port, keyOf(one));
  }
  return hostPortsOf(pod).some((port) => table.holderOf(port) !== null) ? "PodFitsHostPorts" : null;
}
