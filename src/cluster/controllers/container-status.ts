/** Statuses of containers, from one state to the next (`v1.ContainerStatus`). */
import type { ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { secondsOf, timeText } from "./moment.ts";

/** Seconds before the first restart; doubled each time up to the most (`kubelet.MaxContainerBackOff`). */
const BACK_OFF = 10;
const MOST_BACK_OFF = 300;

/** Statuses of a pod that its kubelet has just seen. */
export function newStatuses(pod: Pod): ContainerStatus[] {
  return (pod.spec?.containers ?? []).map(({ name, image = "" }) => ({
    name,
    image,
    imageID: "",
    ready: false,
    restartCount: 0,
    state: { waiting: { reason: "ContainerCreating" } },
  }));
}

/** Is one of the pod's containers waiting for its first start? */
export function isCreating(pod: Pod): boolean {
  return (pod.status?.containerStatuses ?? []).some(
    ({ state }) => state?.waiting?.reason === "ContainerCreating",
  );
}

/** When the last of the pod's containers was started for the first time, in seconds since 1970; 0 when none was. */
export function lastStart(pod: Pod): number {
  const times = (pod.status?.containerStatuses ?? []).map(({ state, restartCount }) =>
    restartCount > 0 ? null : secondsOf(state?.running?.startedAt ?? state?.terminated?.startedAt),
  );
  return Math.max(0, ...times.map((time) => time ?? 0));
}

/** Has one of the pod's programs ended, to be started again? */
export function isRestarting(pod: Pod): boolean {
  return (pod.status?.containerStatuses ?? []).some(
    ({ state, restartCount }) => restartCount > 0 || state?.waiting?.reason === "CrashLoopBackOff",
  );
}

/** The container runs. */
export function started(status: ContainerStatus, now: number): ContainerStatus {
  return { ...status, state: { running: { startedAt: timeText(now) } } };
}

/** The container's program has ended; where the pod's policy says so it waits to be started again. */
export function terminated(
  status: ContainerStatus,
  exitCode: number,
  now: number,
  restartPolicy: string,
): ContainerStatus {
  const end = {
    exitCode,
    reason: exitCode === 0 ? "Completed" : "Error",
    startedAt: status.state?.running?.startedAt ?? timeText(now),
    finishedAt: timeText(now),
  };
  const again = restartPolicy === "Always" || (restartPolicy === "OnFailure" && exitCode !== 0);
  const state = again
    ? { waiting: { reason: "CrashLoopBackOff", message: "Back-off restarting failed docker container" } }
    : { terminated: end };
  return { ...status, ready: false, state, ...(again ? { lastState: { terminated: end } } : {}) };
}

/** When a container that waits will be started again; null when it does not. */
export function restartDue({ state, lastState, restartCount }: ContainerStatus): number | null {
  if (state?.waiting?.reason !== "CrashLoopBackOff") return null;
  const end = secondsOf(lastState?.terminated?.finishedAt);
  return end === null ? null : end + Math.min(MOST_BACK_OFF, BACK_OFF * 2 ** restartCount);
}

/** The container is started again. */
export function restarted(status: ContainerStatus, now: number): ContainerStatus {
  return { ...started(status, now), restartCount: status.restartCount + 1 };
}

/** The pod with the phase that its containers' states make (`getPhase`). */
export function withPhase(pod: Pod): Pod {
  const states = (pod.status?.containerStatuses ?? []).map(({ state }) => state);
  if (states.length === 0 || states.some((state) => state?.terminated === undefined)) return pod;
  const phase = states.every((state) => state?.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
  const { podIP: _, podIPs: __, ...status } = pod.status ?? {};
  return { ...pod, status: { ...status, phase } };
}
