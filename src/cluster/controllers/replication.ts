/**
 * ReplicationController, ReplicaSet, Deployment, DaemonSet and Job: the pods they want.
 *
 * A workload that has at least one pod already is left alone: the topology then shows the cluster as it is.
 */
import type { DaemonSet, Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Job } from "kubernetes-types/batch/v1.js";
import type {
  Pod,
  PodSpec,
  PodTemplateSpec,
  ReplicationController,
  Toleration,
} from "kubernetes-types/core/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { defaultReplicationController } from "../objects/replication-controller.ts";
import {
  inKeyOrder,
  type KubernetesObject,
  keyOf,
  nameOf,
  namespaceOf,
  type ObjectStore,
} from "../objects/store.ts";
import { generatedName, templateHash } from "./generated-name.ts";
import { matchesSelector } from "./label-selector.ts";
import { unfitReason } from "./node-fit.ts";
import { controllerReference } from "./owner.ts";
import { indexPods, type PodIndex, selectPods } from "./pod-index.ts";

/** What one step of the workload controllers makes. */
export interface Replication {
  replicaSets: ReplicaSet[];
  pods: Pod[];
}

/** One step over all workloads: the ReplicaSets and Pods to be created. */
export function replicate(store: ObjectStore): Replication {
  const index = indexPods(store.pods.values());
  const existing = ownersOf(store.replicaSets.values());
  const replicaSets: ReplicaSet[] = [];
  for (const deployment of inKeyOrder(store.deployments)) {
    const replicaSet = replicaSetOf(deployment, existing, index);
    if (replicaSet !== null) replicaSets.push(replicaSet);
  }
  const names = new Set(store.pods.keys());
  const pods: Pod[] = [];
  const create = (workload: Workload) => {
    for (const pod of podsOf(workload, index, names)) pods.push(pod);
  };
  for (const controller of inKeyOrder(store.replicationControllers))
    create(replicationController(controller));
  for (const replicaSet of [...inKeyOrder(store.replicaSets), ...replicaSets])
    create(replicaSetWorkload(replicaSet));
  for (const daemonSet of inKeyOrder(store.daemonSets)) create(daemonSetWorkload(daemonSet, store));
  for (const job of inKeyOrder(store.jobs)) create(jobWorkload(job));
  return { replicaSets, pods };
}

/** What the kinds have in common. `copies` has one entry a pod: what tells it from its siblings, and its node if fixed. */
interface Workload {
  owner: KubernetesObject;
  selector: LabelSelector;
  template: PodTemplateSpec;
  copies: { identity: string; nodeName?: string }[];
}

function podsOf(workload: Workload, index: PodIndex, names: Set<string>): Pod[] {
  const { owner, selector, template, copies } = workload;
  const namespace = namespaceOf(owner);
  if (selectPods(index, namespace, selector).some((pod) => belongsTo(pod, owner))) return [];
  return copies.map(({ identity, nodeName }) => {
    const name = generatedName(nameOf(owner), `${namespace}/${identity}`, (one) =>
      names.has(`${namespace}/${one}`),
    );
    names.add(`${namespace}/${name}`);
    const { labels = {}, annotations } = template.metadata ?? {};
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace,
        labels,
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [controllerReference(owner)],
      },
      spec: { ...(template.spec ?? { containers: [] }), ...(nodeName === undefined ? {} : { nodeName }) },
    } satisfies Pod;
  });
}

/** True unless another controller owns the pod. */
function belongsTo(object: KubernetesObject, owner: KubernetesObject): boolean {
  const controller = object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
  return controller === undefined || (controller.kind === owner.kind && controller.name === nameOf(owner));
}

/** The selector, or the template's labels where extensions/v1beta1 leaves it out. */
function selectorOf(selector: LabelSelector | undefined, template: PodTemplateSpec): LabelSelector {
  return selector ?? { matchLabels: template.metadata?.labels ?? {} };
}

function numbered(count: number): Workload["copies"] {
  return Array.from({ length: count }, (_, i) => ({ identity: String(i) }));
}

function replicationController(stated: ReplicationController): Workload {
  const controller = defaultReplicationController(stated);
  const { replicas = 1, selector = {}, template = {} } = controller.spec ?? {};
  return { owner: controller, selector: { matchLabels: selector }, template, copies: numbered(replicas) };
}

function replicaSetWorkload(replicaSet: ReplicaSet): Workload {
  const { replicas = 1, selector, template = {} } = replicaSet.spec ?? {};
  return {
    owner: replicaSet,
    selector: selectorOf(selector, template),
    template,
    copies: numbered(replicas),
  };
}

/** Parallelism pods at a time, no more than completions are still missing; a finished or suspended Job has none. */
function jobWorkload(job: Job): Workload {
  const { parallelism = 1, completions, suspend = false, selector, template = {} } = job.spec ?? {};
  const succeeded = job.status?.succeeded ?? 0;
  const missing =
    completions === undefined && parallelism === 1 ? 1 - succeeded : (completions ?? parallelism) - succeeded;
  const copies = numbered(suspend ? 0 : Math.max(0, Math.min(parallelism, missing)));
  return { owner: job, selector: selectorOf(selector, template), template, copies };
}

/** What the DaemonSet controller adds to its pods (`daemon/util: AddOrUpdateDaemonPodTolerations`). */
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];

/** What a DaemonSet's pods tolerate beside what their template says. */
export function withDaemonTolerations(spec: PodSpec): PodSpec {
  return { ...spec, tolerations: [...(spec.tolerations ?? []), ...DAEMON_TOLERATIONS] };
}

/** One pod on every node whose labels and taints allow it. */
function daemonSetWorkload(daemonSet: DaemonSet, store: ObjectStore): Workload {
  const { selector, template = {} } = daemonSet.spec ?? {};
  const spec = template.spec ?? { containers: [] };
  const tolerant = withDaemonTolerations(spec);
  const copies = inKeyOrder(store.nodes)
    .filter((node) => unfitReason(tolerant, node) === null)
    .map((node) => ({ identity: nameOf(node), nodeName: nameOf(node) }));
  const withTolerations = { ...template, spec: tolerant };
  return { owner: daemonSet, selector: selectorOf(selector, template), template: withTolerations, copies };
}

/** Which Deployments have ReplicaSets: by `NAMESPACE/NAME` of the owner, and the ReplicaSets without an owner. */
interface ExistingReplicaSets {
  owners: Set<string>;
  orphans: ReplicaSet[];
}

function ownersOf(replicaSets: Iterable<ReplicaSet>): ExistingReplicaSets {
  const existing: ExistingReplicaSets = { owners: new Set(), orphans: [] };
  for (const replicaSet of replicaSets) {
    const owner = replicaSet.metadata?.ownerReferences?.find(({ kind }) => kind === "Deployment");
    if (owner === undefined) existing.orphans.push(replicaSet);
    else existing.owners.add(`${namespaceOf(replicaSet)}/${owner.name}`);
  }
  return existing;
}

/** The ReplicaSet a Deployment is missing; null when it has one, or pods that came without one. */
function replicaSetOf(
  deployment: Deployment,
  existing: ExistingReplicaSets,
  index: PodIndex,
): ReplicaSet | null {
  const { replicas = 1, selector, template = {} } = deployment.spec ?? {};
  const namespace = namespaceOf(deployment);
  const selects = selectorOf(selector, template);
  if (existing.owners.has(keyOf(deployment))) return null;
  const adoptable = (one: ReplicaSet) =>
    namespaceOf(one) === namespace && matchesSelector(selects, one.spec?.template?.metadata?.labels ?? {});
  if (existing.orphans.some(adoptable)) return null;
  if (selectPods(index, namespace, selects).some((pod) => belongsTo(pod, deployment))) return null;
  const hash = templateHash(template);
  const labels = { ...template.metadata?.labels, "pod-template-hash": hash };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${nameOf(deployment)}-${hash}`,
      namespace,
      labels,
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      selector: { ...selects, matchLabels: { ...selects.matchLabels, "pod-template-hash": hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** Every object a controller made, put where the API server would keep it. */
export function applyReplication(store: ObjectStore, { replicaSets, pods }: Replication): ObjectStore {
  return {
    ...store,
    replicaSets: new Map([...store.replicaSets, ...replicaSets.map((one) => [keyOf(one), one] as const)]),
    pods: new Map([...store.pods, ...pods.map((one) => [keyOf(one), one] as const)]),
  };
}
