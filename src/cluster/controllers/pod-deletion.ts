/** How pods go: gracefully, and which of several first. */
import type { Pod } from "kubernetes-types/core/v1.js";
import { isReady, isTerminal, phaseOf } from "../objects/pod.ts";
import { type Changes, NO_CHANGES } from "./cluster-state.ts";
import { secondsOf, timeText } from "./moment.ts";

/** `v1.DefaultTerminationGracePeriodSeconds`. */
const DEFAULT_GRACE = 30;

/** `controller.IsPodActive`: neither ended nor on its way out. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata?.deletionTimestamp === undefined;
}

/**
 * The API server's deletion of a pod (`pod.Strategy.CheckGracefulDelete`): one without a node or that has ended goes at
 * once, others are marked and left to their kubelet.
 */
export function deletePod(pod: Pod, now: number, grace?: number): Changes {
  if (pod.metadata?.deletionTimestamp !== undefined && grace !== 0) return NO_CHANGES;
  const seconds = grace ?? pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE;
  if (pod.spec?.nodeName === undefined || isTerminal(pod) || seconds === 0)
    return { put: [], remove: [pod], events: [] };
  const metadata = {
    ...pod.metadata,
    deletionTimestamp: timeText(now + seconds),
    deletionGracePeriodSeconds: seconds,
  };
  return { put: [{ ...pod, metadata }], remove: [], events: [] };
}

/**
 * Pods in the order in which a controller that has too many deletes them (`controller.ActivePods`): without a node,
 * Pending, not ready, ready for less time, with more restarts, younger.
 */
export function deletionOrder(pods: readonly Pod[]): Pod[] {
  return [...pods].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    const at = x.findIndex((value, i) => value !== y[i]);
    return at < 0 ? 0 : x[at]! - y[at]!;
  });
}

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

function rank(pod: Pod): number[] {
  const ready = isReady(pod);
  return [
    pod.spec?.nodeName === undefined ? 0 : 1,
    PHASE_RANK[phaseOf(pod)] ?? 2,
    ready ? 1 : 0,
    ready ? -(readySince(pod) ?? 0) : 0,
    -restartsOf(pod),
    -(secondsOf(pod.metadata?.creationTimestamp) ?? 0),
  ];
}

/** When the pod became ready, in seconds since 1970; null when it does not say. */
function readySince(pod: Pod): number | null {
  return secondsOf(pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime);
}

/** Restarts of all containers together. */
export function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
