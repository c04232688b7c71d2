/** Readiness of containers and conditions of pods. */
import type { ContainerStatus, Pod, PodCondition } from "kubernetes-types/core/v1.js";
import { secondsOf, timeText } from "./moment.ts";

/**
 * When a container is ready, in seconds since 1970: at once when it runs, or when its readiness probe first passes. Null
 * when it does not run, or its probe asks a port that it does not have.
 */
export function readiness(pod: Pod, { name, state }: ContainerStatus): number | null {
  const since = secondsOf(state?.running?.startedAt);
  if (since === null) return null;
  const container = pod.spec?.containers.find((one) => one.name === name);
  const probe = container?.readinessProbe;
  if (probe === undefined) return since;
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
  const ports = container?.ports ?? [];
  const answers =
    port === undefined || ports.some((one) => one.containerPort === Number(port) || one.name === port);
  return answers ? since + (probe.initialDelaySeconds ?? 0) : null;
}

/** The pod with readiness and conditions as they are now. */
export function withConditions(pod: Pod, now: number): Pod {
  const containerStatuses = (pod.status?.containerStatuses ?? []).map((status) => {
    const at = readiness(pod, status);
    return { ...status, ready: at !== null && at <= now };
  });
  const unready = containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
  const isReady = pod.status?.phase === "Running" && unready.length === 0;
  const before = pod.status?.conditions ?? [];
  const conditions = [
    condition("Initialized", true, before, now),
    condition("Ready", isReady, before, now, unready),
    condition("PodScheduled", true, before, now),
  ];
  return { ...pod, status: { ...pod.status, containerStatuses, conditions } };
}

function condition(
  type: string,
  holds: boolean,
  before: readonly PodCondition[],
  now: number,
  unready: readonly string[] = [],
): PodCondition {
  const status = holds ? "True" : "False";
  const last = before.find((one) => one.type === type);
  const lastTransitionTime = last?.status === status ? last.lastTransitionTime : undefined;
  const why = {
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
  return {
    type,
    status,
    lastTransitionTime: lastTransitionTime ?? timeText(now),
    ...(holds ? {} : why),
  };
}
