import { createHash } from "node:crypto";
import type { Container, ContainerState, ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { controllerOf } from "../../../cluster/controllers/owner.ts";
import { phaseOf } from "../../../cluster/objects/pod.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../cluster/objects/store.ts";
import { longTime } from "../age.ts";
import type { Call } from "../call.ts";
import { describedEvents } from "../events.ts";
import { containerId, labelLines } from "./fields.ts";

/** `describePod` */
export function describePod(call: Call, object: KubernetesObject): string {
  const pod = object as Pod;
  const { spec, status, metadata } = pod;
  const owner = controllerOf(pod);
  let text = `Name:\t${nameOf(pod)}\nNamespace:\t${namespaceOf(pod)}\n`;
  text += spec?.nodeName === undefined ? "Node:\t/\n" : `Node:\t${spec.nodeName}/${status?.hostIP ?? ""}\n`;
  if (status?.startTime !== undefined) text += `Start Time:\t${longTime(status.startTime)}\n`;
  text += labelLines("Labels", metadata?.labels);
  if (metadata?.deletionTimestamp !== undefined) {
    text += `Status:\tTerminating (expires ${longTime(metadata.deletionTimestamp)})\n`;
    text += `Termination Grace Period:\t${metadata.deletionGracePeriodSeconds}s\n`;
  } else text += `Status:\t${phaseOf(pod)}\n`;
  text += `IP:\t${status?.podIP ?? ""}\n`;
  text += `Controllers:\t${owner === null ? "<none>" : `${owner.kind}/${owner.name}`}\nContainers:\n`;
  for (const container of spec?.containers ?? []) text += describeContainer(call, pod, container);
  text += conditions(pod) + volumes(pod);
  text += `QoS Class:\t${qosClass(pod)}\nTolerations:\t${tolerations(pod)}\n`;
  return text + describedEvents(call, pod);
}

/** `describeContainers` */
function describeContainer(call: Call, pod: Pod, container: Container): string {
  const { name, image = "", ports = [], command = [], args = [], env = [] } = container;
  const status = pod.status?.containerStatuses?.find((one) => one.name === name);
  const id =
    status?.state?.waiting === undefined ? containerId(call, namespaceOf(pod), nameOf(pod), name) : "";
  const numbers = ports
    .map(({ containerPort, protocol = "TCP" }) => `${containerPort}/${protocol}`)
    .join(", ");
  let text = `  ${name}:\n    Container ID:\t${id === "" ? "" : `docker://${id}`}\n    Image:\t${image}\n`;
  text += `    Image ID:\t${id === "" ? "" : imageId(image)}\n    Port${ports.length > 1 ? "s" : ""}:\t${numbers}\n`;
  for (const [title, words] of [
    ["Command", command],
    ["Args", args],
  ] as const)
    if (words.length > 0) text += `    ${title}:\n${words.map((word) => `      ${word}\n`).join("")}`;
  text +=
    resources("Limits", container.resources?.limits) + resources("Requests", container.resources?.requests);
  if (status !== undefined) text += statusLines(status);
  text += mounts(container);
  if (env.length === 0) return `${text}    Environment Variables:\t<none>\n`;
  return `${text}    Environment Variables:\n${env.map((one) => `      ${one.name}:\t${one.value ?? ""}\n`).join("")}`;
}

/** docker's reference to the image that was pulled; the digest stands for the name. */
function imageId(image: string): string {
  const path = image.replace(/:[^/]*$/, "");
  const host = path.includes(".") ? path : `docker.io/${path}`;
  return `docker-pullable://${host}@sha256:${createHash("sha256").update(path).digest("hex")}`;
}

function resources(title: string, values: Readonly<Record<string, string>> | undefined): string {
  if (values === undefined || Object.keys(values).length === 0) return "";
  const lines = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return `    ${title}:\n${lines.map(([key, value]) => `      ${key}:\t${value}\n`).join("")}`;
}

function statusLines({ state, lastState, ready, restartCount }: ContainerStatus): string {
  const last = lastState?.terminated === undefined ? "" : stateLines("Last State", lastState);
  return `${stateLines("State", state)}${last}    Ready:\t${ready ? "True" : "False"}\n    Restart Count:\t${restartCount}\n`;
}

/** `describeStatus` */
function stateLines(title: string, state: ContainerState | undefined): string {
  if (state?.running !== undefined)
    return `    ${title}:\tRunning\n      Started:\t${longTime(state.running.startedAt)}\n`;
  if (state?.terminated !== undefined) {
    const { reason, exitCode, startedAt, finishedAt } = state.terminated;
    const why = reason === undefined ? "" : `      Reason:\t${reason}\n`;
    const times = `      Started:\t${longTime(startedAt)}\n      Finished:\t${longTime(finishedAt)}\n`;
    return `    ${title}:\tTerminated\n${why}      Exit Code:\t${exitCode}\n${times}`;
  }
  const reason = state?.waiting?.reason;
  return `    ${title}:\tWaiting\n${reason === undefined ? "" : `      Reason:\t${reason}\n`}`;
}

function mounts({ volumeMounts = [] }: Container): string {
  if (volumeMounts.length === 0) return "    Volume Mounts:\t<none>\n";
  const lines = volumeMounts.map(
    ({ mountPath, name, readOnly }) =>
      `      ${mountPath} from ${name} (${readOnly === true ? "ro" : "rw"})\n`,
  );
  return `    Volume Mounts:\n${lines.join("")}`;
}

function conditions({ status }: Pod): string {
  const all = status?.conditions ?? [];
  if (all.length === 0) return "";
  return `Conditions:\n  Type\tStatus\n${all.map((one) => `  ${one.type} \t${one.status} \n`).join("")}`;
}

/** `describeVolumes`: of the sources that simulated pods have, only a node's folder says more than its name. */
function volumes({ spec }: Pod): string {
  const all = spec?.volumes ?? [];
  if (all.length === 0) return "No volumes.\n";
  const lines = all.map(({ name, hostPath }) =>
    hostPath === undefined
      ? `  ${name}:\n`
      : `  ${name}:\n    Type:\tHostPath (bare host directory volume)\n    Path:\t${hostPath.path}\n`,
  );
  return `Volumes:\n${lines.join("")}`;
}

/** `qos.GetPodQOS` */
function qosClass({ spec }: Pod): string {
  const containers = spec?.containers ?? [];
  const has = (one: object | undefined) => Object.keys(one ?? {}).length > 0;
  const isAny = containers.some(({ resources }) => has(resources?.limits) || has(resources?.requests));
  if (!isAny) return "BestEffort";
  const isGuaranteed = containers.every(({ resources }) => {
    const { limits = {}, requests = limits } = resources ?? {};
    return ["cpu", "memory"].every((name) => limits[name] !== undefined && requests[name] === limits[name]);
  });
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

function tolerations({ spec }: Pod): string {
  const all = (spec?.tolerations ?? []).filter(({ key = "" }) => !key.startsWith("node.kubernetes.io/"));
  if (all.length === 0) return "<none>";
  return all.map(({ key = "", value, effect = "" }) => `${key}=${value ?? ""}:${effect}`).join("\n\t");
}
