/** Events (v1): what components tell about objects. Equal ones are counted, as client-go's correlator does. */
import type { KubernetesObject } from "../objects/store.ts";
import { nameOf, namespaceOf } from "../objects/store.ts";
import { controllerOf } from "./owner.ts";

/** What somebody tells. `host` is the node of a kubelet. */
export interface EventNote {
  readonly about: KubernetesObject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  readonly host?: string;
  /** `spec.containers{nginx}`, or absent. */
  readonly fieldPath?: string;
}

/** An event as it is kept; times in seconds since 1970. */
export interface ClusterEvent {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  readonly host: string;
  readonly fieldPath: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly count: number;
}

/** What the controllers call themselves when they make pods, by the owner's kind. */
const MAKERS: Readonly<Record<string, string>> = {
  ReplicationController: "replication-controller",
  ReplicaSet: "replicaset-controller",
  DaemonSet: "daemon-set",
  Job: "job-controller",
};

/** What a controller tells about a pod that it has made; null when no controller has. */
export function creationEvent(pod: KubernetesObject): EventNote | null {
  const owner = controllerOf(pod);
  const component = MAKERS[owner?.kind ?? ""];
  if (owner === null || component === undefined) return null;
  const { kind, name, uid, apiVersion } = owner;
  const about = { apiVersion, kind, metadata: { name, uid, namespace: namespaceOf(pod) } };
  const message = `Created pod: ${nameOf(pod)}`;
  return { about, type: "Normal", reason: "SuccessfulCreate", message, component };
}

/** The list with one more, or with an equal one counted up. */
export function noteEvent(
  events: readonly ClusterEvent[],
  { about, type, reason, message, component, host = "", fieldPath = "" }: EventNote,
  now: number,
): ClusterEvent[] {
  const event = {
    kind: about.kind ?? "",
    namespace: namespaceOf(about),
    name: nameOf(about),
    uid: about.metadata?.uid ?? "",
    type,
    reason,
    message,
    component,
    host,
    fieldPath,
  };
  const same = (one: ClusterEvent) =>
    Object.entries(event).every(([key, value]) => one[key as keyof ClusterEvent] === value);
  const at = events.findIndex(same);
  if (at < 0) return [...events, { ...event, firstSeen: now, lastSeen: now, count: 1 }];
  return events.map((one, i) => (i === at ? { ...one, lastSeen: now, count: one.count + 1 } : one));
}

/** The events about an object, oldest first. */
export function eventsAbout(events: readonly ClusterEvent[], object: KubernetesObject): ClusterEvent[] {
  const uid = object.metadata?.uid;
  return events.filter(
    (event) =>
      event.kind === object.kind &&
      event.name === nameOf(object) &&
      event.namespace === namespaceOf(object) &&
      (uid === undefined || event.uid === "" || event.uid === uid),
  );
}
