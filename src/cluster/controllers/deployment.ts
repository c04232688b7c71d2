/**
 * The Deployment controller on a live cluster (`pkg/controller/deployment`): a ReplicaSet a template, scaled up and down
 * against each other within maxSurge and maxUnavailable.
 */
import type { Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { inKeyOrder, nameOf, namespaceOf, type ObjectStore } from "../objects/store.ts";
import { type Changes, type ClusterState, NO_CHANGES, together } from "./cluster-state.ts";
import type { EventNote } from "./event.ts";
import { templateHash } from "./generated-name.ts";
import { secondsOf } from "./moment.ts";
import { controllerReference, isControlledBy } from "./owner.ts";

/** Label by which the pods of one template are told from those of the next (`DefaultDeploymentUniqueLabelKey`). */
export const TEMPLATE_HASH_LABEL = "pod-template-hash";
/** Annotation that counts a Deployment's templates (`deploymentutil.RevisionAnnotation`). */
const REVISION_ANNOTATION = "deployment.kubernetes.io/revision";

/** One step over all Deployments. */
export function syncDeployments({ store }: ClusterState): Changes {
  return together(inKeyOrder(store.deployments).map((deployment) => syncOne(deployment, store)));
}

/** The ReplicaSets of a Deployment, oldest revision first. */
export function replicaSetsOf(deployment: Deployment, store: ObjectStore): ReplicaSet[] {
  return [...store.replicaSets.values()]
    .filter((one) => namespaceOf(one) === namespaceOf(deployment) && isControlledBy(one, deployment))
    .sort((a, b) => revisionOf(a) - revisionOf(b) || created(a) - created(b));
}

const created = (one: ReplicaSet): number => secondsOf(one.metadata?.creationTimestamp) ?? 0;

/** Which of a Deployment's templates an object stands for; 0 when it does not say. */
export const revisionOf = (object: Deployment | ReplicaSet): number =>
  Number(object.metadata?.annotations?.[REVISION_ANNOTATION] ?? 0);

/** The hash that tells a Deployment's template from its others. */
const hashOf = (deployment: Deployment): string => templateHash(deployment.spec?.template ?? {});

/** The ReplicaSet of the Deployment's template as it is now, or null. */
export function newReplicaSet(deployment: Deployment, all: readonly ReplicaSet[]): ReplicaSet | null {
  const wanted = `${nameOf(deployment)}-${hashOf(deployment)}`;
  return all.find((one) => nameOf(one) === wanted) ?? all.find((one) => hasTemplate(one, deployment)) ?? null;
}

/** `EqualIgnoreHash` */
function hasTemplate(replicaSet: ReplicaSet, deployment: Deployment): boolean {
  const { template } = replicaSet.spec ?? {};
  const { [TEMPLATE_HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {};
  const bare = { ...template, metadata: { ...template?.metadata, labels } };
  const own = deployment.spec?.template;
  return (
    canonical(bare) ===
    canonical({ ...own, metadata: { ...own?.metadata, labels: own?.metadata?.labels ?? {} } })
  );
}

/** JSON with keys in order, so that equal values give equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

function syncOne(deployment: Deployment, store: ObjectStore): Changes {
  if (deployment.metadata?.deletionTimestamp !== undefined) return NO_CHANGES;
  const all = replicaSetsOf(deployment, store);
  const current = newReplicaSet(deployment, all);
  if (current === null) return deployment.spec?.paused === true ? NO_CHANGES : create(deployment, all);
  const revised = withRevision(deployment, current, all);
  if (revised !== null) return revised;
  const old = all.filter((one) => one !== current);
  if (deployment.spec?.paused === true) return NO_CHANGES;
  return deployment.spec?.strategy?.type === "Recreate"
    ? recreate(deployment, current, old, store)
    : roll(deployment, current, old);
}

/** The new ReplicaSet, with no replicas yet. */
function create(deployment: Deployment, old: readonly ReplicaSet[]): Changes {
  const { selector, template = {} } = deployment.spec ?? {};
  const hash = hashOf(deployment);
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
  const selects: LabelSelector = selector ?? { matchLabels: template.metadata?.labels ?? {} };
  const replicaSet: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${nameOf(deployment)}-${hash}`,
      namespace: namespaceOf(deployment),
      labels,
      annotations: { [REVISION_ANNOTATION]: String(lastRevision(old) + 1) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: 0,
      selector: { ...selects, matchLabels: { ...selects.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  return { put: [replicaSet], remove: [], events: [] };
}

const lastRevision = (all: readonly ReplicaSet[]): number => Math.max(0, ...all.map(revisionOf));

/** A template that comes back gets the newest revision; the Deployment always shows that of its own. */
function withRevision(
  deployment: Deployment,
  current: ReplicaSet,
  all: readonly ReplicaSet[],
): Changes | null {
  const others = lastRevision(all.filter((one) => one !== current));
  const revision = revisionOf(current) > others ? revisionOf(current) : others + 1;
  const put = [current, deployment]
    .filter((one) => revisionOf(one) !== revision)
    .map((one) => ({
      ...one,
      metadata: {
        ...one.metadata,
        annotations: { ...one.metadata?.annotations, [REVISION_ANNOTATION]: String(revision) },
      },
    }));
  return put.length === 0 ? null : { put, remove: [], events: [] };
}

function scale(deployment: Deployment, replicaSet: ReplicaSet, replicas: number): Changes {
  const before = replicaSet.spec?.replicas ?? 0;
  if (before === replicas) return NO_CHANGES;
  const event: EventNote = {
    about: deployment,
    type: "Normal",
    reason: "ScalingReplicaSet",
    message: `Scaled ${replicas > before ? "up" : "down"} replica set ${nameOf(replicaSet)} to ${replicas}`,
    component: "deployment-controller",
  };
  const spec = { ...replicaSet.spec, replicas };
  return { put: [{ ...replicaSet, spec } as ReplicaSet], remove: [], events: [event] };
}

const total = (all: readonly ReplicaSet[], of: (one: ReplicaSet) => number): number =>
  all.reduce((sum, one) => sum + of(one), 0);
const replicasOf = (one: ReplicaSet): number => one.spec?.replicas ?? 0;
const availableOf = (one: ReplicaSet): number => one.status?.availableReplicas ?? 0;

/** `resolveFenceposts`: a number, or a percentage of the replicas: rounded up for the surge, down for the missing. */
function fencepost(value: string | number, replicas: number, round: (n: number) => number): number {
  return typeof value === "number" ? value : round((Number(value.replace("%", "")) * replicas) / 100);
}

/** How many more and fewer than its replicas a Deployment may have: 25% each, in the older API groups 1 each. */
function fenceposts({ apiVersion, spec }: Deployment): { surge: number; unavailable: number } {
  const { replicas = 1, strategy } = spec ?? {};
  const usual = /beta1$/.test(apiVersion ?? "") ? 1 : "25%";
  const surge = fencepost(strategy?.rollingUpdate?.maxSurge ?? usual, replicas, Math.ceil);
  const unavailable = fencepost(strategy?.rollingUpdate?.maxUnavailable ?? usual, replicas, Math.floor);
  return surge === 0 && unavailable === 0 ? { surge: 0, unavailable: 1 } : { surge, unavailable };
}

/** `rolloutRolling`: first up, then down, whichever is possible now. */
function roll(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Changes {
  const wanted = deployment.spec?.replicas ?? 1;
  const { surge, unavailable } = fenceposts(deployment);
  const now = replicasOf(current);
  if (now > wanted) return scale(deployment, current, wanted);
  const room = wanted + surge - now - total(old, replicasOf);
  if (now < wanted && room > 0) return scale(deployment, current, Math.min(wanted, now + room));
  const running = old.filter((one) => replicasOf(one) > 0);
  if (running.length === 0) return NO_CHANGES;
  const minimum = wanted - unavailable;
  const newUnavailable = now - availableOf(current);
  const most = now + total(old, replicasOf) - minimum - newUnavailable;
  return most <= 0 ? NO_CHANGES : scaleDownOld(deployment, running, most, availableOf(current), minimum);
}

/** `cleanupUnhealthyReplicas`, then `scaleDownOldReplicaSetsForRollingUpdate`: at most `most` pods altogether. */
function scaleDownOld(
  deployment: Deployment,
  running: readonly ReplicaSet[],
  most: number,
  newAvailable: number,
  minimum: number,
): Changes {
  let left = most;
  const less = new Map<ReplicaSet, number>();
  const take = (one: ReplicaSet, wanted: number): number => {
    const count = Math.max(0, Math.min(left, wanted, replicasOf(one) - (less.get(one) ?? 0)));
    left -= count;
    less.set(one, (less.get(one) ?? 0) + count);
    return count;
  };
  for (const one of running) take(one, replicasOf(one) - availableOf(one));
  let spare = newAvailable + total(running, availableOf) - minimum;
  for (const one of running) spare -= take(one, spare);
  return together([...less].map(([one, count]) => scale(deployment, one, replicasOf(one) - count)));
}

/** `rolloutRecreate`: all old pods go before the first new one comes. */
function recreate(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  store: ObjectStore,
): Changes {
  const running = old.filter((one) => replicasOf(one) > 0);
  if (running.length > 0) return together(running.map((one) => scale(deployment, one, 0)));
  const left = [...store.pods.values()].some((pod) => old.some((one) => isControlledBy(pod, one)));
  return left ? NO_CHANGES : scale(deployment, current, deployment.spec?.replicas ?? 1);
}
