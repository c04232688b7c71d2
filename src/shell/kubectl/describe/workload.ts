import type { DaemonSet, Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Job } from "kubernetes-types/batch/v1.js";
import type { Pod, PodTemplateSpec, ReplicationController } from "kubernetes-types/core/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { daemonSelector } from "../../../cluster/controllers/daemon-set.ts";
import { newReplicaSet, replicaSetsOf } from "../../../cluster/controllers/deployment.ts";
import { jobSelector } from "../../../cluster/controllers/job.ts";
import { matchesSelector } from "../../../cluster/controllers/label-selector.ts";
import { isControlledBy } from "../../../cluster/controllers/owner.ts";
import { phaseOf } from "../../../cluster/objects/pod.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../cluster/objects/store.ts";
import { longTime } from "../age.ts";
import type { Call } from "../call.ts";
import { describedEvents } from "../events.ts";
import { selectorText } from "../rows.ts";
import { labelsText } from "../selector.ts";
import { labelLines } from "./fields.ts";

const images = (template: PodTemplateSpec | undefined): string =>
  (template?.spec?.containers ?? []).map(({ image = "" }) => image).join(",");

function podsOf(call: Call, owner: KubernetesObject, selector: LabelSelector | null): Pod[] {
  return [...call.store.pods.values()].filter(
    (pod) =>
      namespaceOf(pod) === namespaceOf(owner) &&
      (selector === null
        ? isControlledBy(pod, owner)
        : matchesSelector(selector, pod.metadata?.labels ?? {})),
  );
}

const inPhase = (pods: readonly Pod[], phase: string): number =>
  pods.filter((pod) => phaseOf(pod) === phase).length;

function statuses(pods: readonly Pod[]): string {
  const of = (phase: string) => inPhase(pods, phase);
  return `${of("Running")} Running / ${of("Pending")} Waiting / ${of("Succeeded")} Succeeded / ${of("Failed")} Failed`;
}

function volumes(template: PodTemplateSpec | undefined): string {
  const all = template?.spec?.volumes ?? [];
  if (all.length === 0) return "No volumes.\n";
  const lines = all.map(({ name, hostPath }) =>
    hostPath === undefined
      ? `  ${name}:\n`
      : `  ${name}:\n    Type:\tHostPath (bare host directory volume)\n    Path:\t${hostPath.path}\n`,
  );
  return `Volumes:\n${lines.join("")}`;
}

/** `describeReplicationController`, `describeReplicaSet` */
export function describeController(call: Call, object: KubernetesObject): string {
  const { spec, status, metadata } = object as ReplicationController;
  const selector =
    object.kind === "ReplicationController"
      ? labelsText(spec?.selector)
      : selectorText((object as ReplicaSet).spec?.selector);
  return [
    `Name:\t${nameOf(object)}\nNamespace:\t${namespaceOf(object)}\nImage(s):\t${images(spec?.template)}\n`,
    `Selector:\t${selector}\n${labelLines("Labels", metadata?.labels)}`,
    `Replicas:\t${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired\n`,
    `Pods Status:\t${statuses(podsOf(call, object, null))}\n`,
    volumes(spec?.template),
    describedEvents(call, object),
  ].join("");
}

/** `describeJob` */
export function describeJob(call: Call, object: KubernetesObject): string {
  const job = object as Job;
  const { spec, status, metadata } = job;
  const pods = podsOf(call, job, jobSelector(job));
  const deadline = spec?.activeDeadlineSeconds;
  return [
    `Name:\t${nameOf(job)}\nNamespace:\t${namespaceOf(job)}\nImage(s):\t${images(spec?.template)}\n`,
    `Selector:\t${selectorText(spec?.selector)}\nParallelism:\t${spec?.parallelism ?? 1}\n`,
    `Completions:\t${spec?.completions ?? "<unset>"}\n`,
    status?.startTime === undefined ? "" : `Start Time:\t${longTime(status.startTime)}\n`,
    deadline === undefined ? "" : `Active Deadline Seconds:\t${deadline}s\n`,
    labelLines("Labels", metadata?.labels),
    `Pods Statuses:\t${status?.active ?? 0} Running / ${status?.succeeded ?? 0} Succeeded / ${inPhase(pods, "Failed")} Failed\n`,
    volumes(spec?.template),
    describedEvents(call, job),
  ].join("");
}

/** `describeDaemonSet`: the three counts have a blank and no tab. */
export function describeDaemonSet(call: Call, object: KubernetesObject): string {
  const daemonSet = object as DaemonSet;
  const { spec, status, metadata } = daemonSet;
  return [
    `Name:\t${nameOf(daemonSet)}\nImage(s):\t${images(spec?.template)}\n`,
    `Selector:\t${selectorText(spec?.selector)}\nNode-Selector:\t${labelsText(spec?.template?.spec?.nodeSelector)}\n`,
    labelLines("Labels", metadata?.labels),
    `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}\n`,
    `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}\n`,
    `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}\n`,
    `Pods Status:\t${statuses(podsOf(call, daemonSet, daemonSelector(daemonSet)))}\n`,
    describedEvents(call, daemonSet),
  ].join("");
}

/** `describeDeployment` */
export function describeDeployment(call: Call, object: KubernetesObject): string {
  const deployment = object as Deployment;
  const { spec, status, metadata } = deployment;
  const all = replicaSetsOf(deployment, call.store);
  const current = newReplicaSet(deployment, all);
  const counts = (one: ReplicaSet) =>
    `${nameOf(one)} (${one.status?.replicas ?? 0}/${one.spec?.replicas ?? 0} replicas created)`;
  const old = all.filter((one) => one !== current && (one.spec?.replicas ?? 0) > 0);
  const rolling = spec?.strategy?.rollingUpdate ?? {};
  return [
    `Name:\t${nameOf(deployment)}\nNamespace:\t${namespaceOf(deployment)}\n`,
    `CreationTimestamp:\t${longTime(metadata?.creationTimestamp)}\n${labelLines("Labels", metadata?.labels)}`,
    `Selector:\t${selectorText(spec?.selector)}\n`,
    `Replicas:\t${status?.updatedReplicas ?? 0} updated | ${spec?.replicas ?? 1} total | `,
    `${status?.availableReplicas ?? 0} available | ${status?.unavailableReplicas ?? 0} unavailable\n`,
    `StrategyType:\t${spec?.strategy?.type ?? "RollingUpdate"}\nMinReadySeconds:\t${spec?.minReadySeconds ?? 0}\n`,
    spec?.strategy?.type === "Recreate"
      ? ""
      : `RollingUpdateStrategy:\t${rolling.maxUnavailable ?? 1} max unavailable, ${rolling.maxSurge ?? 1} max surge\n`,
    `OldReplicaSets:\t${old.length === 0 ? "<none>" : old.map(counts).join(", ")}\n`,
    `NewReplicaSet:\t${current === null ? "<none>" : counts(current)}\n`,
    describedEvents(call, deployment),
  ].join("");
}
