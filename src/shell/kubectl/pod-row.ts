/** A pod's line (`printPodBase` of 1.5). */
import type { Pod } from "kubernetes-types/core/v1.js";
import { restartsOf } from "../../cluster/controllers/pod-deletion.ts";
import { phaseOf } from "../../cluster/objects/pod.ts";
import { nameOf } from "../../cluster/objects/store.ts";
import { ageOf } from "./age.ts";

/** NAME READY STATUS RESTARTS AGE */
export function podRow(pod: Pod, now: number): string[] {
  const total = pod.spec?.containers.length ?? 0;
  const ready = (pod.status?.containerStatuses ?? []).filter(
    (one) => one.ready && one.state?.running !== undefined,
  ).length;
  return [
    nameOf(pod),
    `${ready}/${total}`,
    podStatus(pod),
    String(restartsOf(pod)),
    ageOf(pod.metadata?.creationTimestamp, now),
  ];
}

/** The word of STATUS: the first container that has something to say, otherwise the pod's phase. */
function podStatus(pod: Pod): string {
  if (pod.metadata?.deletionTimestamp !== undefined) return "Terminating";
  let text = pod.status?.reason ?? phaseOf(pod);
  for (const { state } of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    if (state?.waiting?.reason) text = state.waiting.reason;
    else if (state?.terminated !== undefined)
      text = state.terminated.reason ?? `ExitCode:${state.terminated.exitCode}`;
  }
  return text;
}

/** Pods that have ended are shown only with --show-all. */
export const hasEnded = (pod: Pod): boolean => {
  const phase = phaseOf(pod);
  return phase === "Succeeded" || phase === "Failed";
};
