/** What the API server does to an object before it keeps it: defaults, allocation, and reasons to refuse. */
import type { DaemonSet, Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Job } from "kubernetes-types/batch/v1.js";
import type { Pod, PodTemplateSpec, ReplicationController, Service } from "kubernetes-types/core/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { matchesSelector } from "../../cluster/controllers/label-selector.ts";
import { admitService } from "../../cluster/controllers/service-admission.ts";
import { defaultJob, defaultWorkload } from "../../cluster/controllers/workload-defaults.ts";
import { defaultReplicationController } from "../../cluster/objects/replication-controller.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../cluster/objects/store.ts";
import { CommandError } from "../session/command.ts";
import type { Call } from "./call.ts";
import { labelsText } from "./selector.ts";

/** The object as it is kept. Throws CommandError with why it is not. */
export function admit(call: Call, object: KubernetesObject): KubernetesObject {
  if (object.metadata?.namespace !== undefined && !call.store.namespaces.has(namespaceOf(object)))
    throw new CommandError(`Error from server (NotFound): namespaces "${namespaceOf(object)}" not found`);
  switch (object.kind) {
    case "ReplicationController": {
      const controller = defaultReplicationController(object as ReplicationController);
      checkTemplate(controller, { matchLabels: controller.spec?.selector ?? {} }, controller.spec?.template);
      return controller;
    }
    case "ReplicaSet":
    case "Deployment":
    case "DaemonSet":
      return workload(object as ReplicaSet | Deployment | DaemonSet);
    case "Job":
      return job(object as Job);
    case "Pod":
      return { ...object, status: { phase: "Pending", ...(object as Pod).status } } as Pod;
    case "Service": {
      const admitted = admitService(object as Service, call.store, call.session.plane.range);
      if ("refusal" in admitted) invalid(object, admitted.refusal);
      return admitted.service;
    }
    case "Node":
      if (!call.store.nodes.has(nameOf(object)))
        throw new CommandError("error: a node is a machine: it belongs in the topology");
      return object;
    case "Namespace":
      return { ...object, status: { phase: "Active" } } as KubernetesObject;
    default:
      return object;
  }
}

function invalid(object: KubernetesObject, text: string): never {
  throw new CommandError(`The ${object.kind} "${nameOf(object)}" is invalid: ${text}`);
}

function workload<T extends ReplicaSet | Deployment | DaemonSet>(object: T): T {
  const complete = defaultWorkload(object);
  checkTemplate(complete, complete.spec?.selector ?? {}, complete.spec?.template);
  return complete;
}

/** A pod that is always started again would never complete. */
function job(object: Job): Job {
  const policy = object.spec?.template?.spec?.restartPolicy ?? "Always";
  if (policy !== "Never" && policy !== "OnFailure")
    invalid(
      object,
      `spec.template.spec.restartPolicy: Unsupported value: "${policy}": supported values: OnFailure, Never`,
    );
  const complete = defaultJob(object);
  checkTemplate(complete, complete.spec?.selector ?? {}, complete.spec?.template);
  return complete;
}

function checkTemplate(
  object: KubernetesObject,
  selector: LabelSelector,
  template: PodTemplateSpec | undefined,
): void {
  const labels = template?.metadata?.labels ?? {};
  const isEmpty =
    Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
  if (isEmpty) invalid(object, "spec.selector: Required value");
  if (matchesSelector(selector, labels)) return;
  const shown = labels === undefined ? "{}" : `{${labelsText(labels)}}`;
  invalid(
    object,
    `spec.template.metadata.labels: Invalid value: ${JSON.stringify(shown)}: \`selector\` does not match template \`labels\``,
  );
}
