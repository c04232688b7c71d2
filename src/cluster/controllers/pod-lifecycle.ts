/**
 * What kubelets do to pods as time passes: containers start one after the other on each node (images are pulled one at a
 * time, `--serialize-image-pulls`), some end and are started again, pods become ready and go. Each change is due at a
 * second; between them nothing happens.
 */
import type { Container, ContainerStatus, Pod } from "kubernetes-types/core/v1.js";
import { isTerminal } from "../objects/pod.ts";
import { keyOf, nameOf, namespaceOf, type ObjectStore } from "../objects/store.ts";
import type { Changes, ClusterState } from "./cluster-state.ts";
import {
  isCreating,
  isRestarting,
  lastStart,
  newStatuses,
  restartDue,
  restarted,
  started,
  terminated,
  withPhase,
} from "./container-status.ts";
import { drawnAddress, takenAddresses } from "./draws.ts";
import type { EventNote } from "./event.ts";
import { secondsOf, timeText } from "./moment.ts";
import { allocatePodAddresses, type PodSubnet } from "./pod-address.ts";
import { readiness, withConditions } from "./pod-condition.ts";

/** How long a program runs and how it ends. */
export interface Program {
  seconds: number;
  exitCode: number;
}

/** What kubelets are told. */
export interface KubeletSettings {
  /** Seconds to pull an image and start a container of it. */
  readonly startSeconds: number;
  /** What a container runs; null for a program that does not end. */
  programOf(container: Container): Program | null;
  readonly subnets: ReadonlyMap<string, PodSubnet>;
}

/** To start a container whose image is there. */
const START_SECONDS = 2;
/** From SIGTERM to the pod's end: what well-behaved servers take. */
const STOP_SECONDS = 2;

/** A change of a pod, due at a second. Null: the pod is gone. */
interface Transition {
  at: number;
  to(now: number): { pod: Pod | null; events: EventNote[] };
}

/** Everything that is due by now, one change a pod. */
export function syncPods(state: ClusterState, settings: KubeletSettings): Changes {
  const put: Pod[] = [];
  const remove: Pod[] = [];
  const events: EventNote[] = [];
  for (const [pod, { at, to }] of transitions(state, settings)) {
    if (at > state.now) continue;
    const result = to(state.now);
    if (result.pod === null) remove.push(pod);
    else put.push(result.pod);
    events.push(...result.events);
  }
  return { put, remove, events };
}

/**
 * When the next change is due, in seconds since 1970; null when nothing will happen by itself. `steady` leaves out pods
 * whose programs end again and again.
 */
export function nextDue(state: ClusterState, settings: KubeletSettings, steady = false): number | null {
  let next: number | null = null;
  for (const [pod, { at }] of transitions(state, settings)) {
    const isLeftOut = steady && pod.metadata?.deletionTimestamp === undefined && isRestarting(pod);
    if (!isLeftOut && (next === null || at < next)) next = at;
  }
  return next;
}

function transitions(state: ClusterState, settings: KubeletSettings): [Pod, Transition][] {
  const result: [Pod, Transition][] = [];
  const queues = new Map<string, Pod[]>();
  const busyUntil = new Map<string, number>();
  for (const pod of state.store.pods.values()) {
    const node = pod.spec?.nodeName;
    // nobody looks after pods of a node that is no machine
    if (node === undefined || !settings.subnets.has(node)) continue;
    busyUntil.set(node, Math.max(busyUntil.get(node) ?? 0, lastStart(pod)));
    const own = ownTransition(pod, settings);
    if (own !== null) result.push([pod, own]);
    else if (isCreating(pod)) queues.set(node, [...(queues.get(node) ?? []), pod]);
  }
  for (const [node, pods] of queues) {
    const [first] = pods.sort((a, b) => startTime(a) - startTime(b));
    const takes = needsPull(nextContainer(first!))
      ? settings.startSeconds
      : Math.min(settings.startSeconds, START_SECONDS);
    const at = Math.max(startTime(first!), busyUntil.get(node) ?? 0) + takes;
    result.push([first!, { at, to: (now) => startNext(first!, state.store, settings, now) }]);
  }
  return result;
}

const startTime = (pod: Pod): number => secondsOf(pod.status?.startTime) ?? 0;

/** What happens to a pod whatever its node is busy with; null when nothing is to come, or only its turn. */
function ownTransition(pod: Pod, settings: KubeletSettings): Transition | null {
  const deletion = secondsOf(pod.metadata?.deletionTimestamp);
  if (deletion !== null) {
    const grace = pod.metadata?.deletionGracePeriodSeconds ?? STOP_SECONDS;
    return { at: deletion - grace + Math.min(grace, STOP_SECONDS), to: () => ({ pod: null, events: [] }) };
  }
  if (isTerminal(pod)) return null;
  if (pod.status?.startTime === undefined) return { at: 0, to: (now) => accept(pod, settings, now) };
  return endOrRestart(pod, settings) ?? becomesReady(pod);
}

/** The kubelet has seen the pod. */
function accept(pod: Pod, { subnets }: KubeletSettings, now: number): { pod: Pod; events: EventNote[] } {
  const hostIP = subnets.get(pod.spec?.nodeName ?? "")?.internalIP;
  const accepted: Pod = {
    ...pod,
    status: {
      ...pod.status,
      phase: "Pending",
      startTime: timeText(now),
      ...(hostIP === undefined ? {} : { hostIP }),
      containerStatuses: newStatuses(pod),
    },
  };
  return { pod: withConditions(accepted, now), events: [] };
}

function nextContainer(pod: Pod): Container | undefined {
  const next = pod.status?.containerStatuses?.find(
    ({ state }) => state?.waiting?.reason === "ContainerCreating",
  );
  return pod.spec?.containers.find(({ name }) => name === next?.name);
}

/**
 * Is the image pulled first? Without a policy it is when it has no tag, or `latest` (`SetDefaults_Container`); any other
 * is taken to be on the node already.
 */
function needsPull(container: Container | undefined): boolean {
  const { image = "", imagePullPolicy } = container ?? {};
  const tag = /:([^/]+)$/.exec(image)?.[1] ?? "latest";
  return imagePullPolicy === undefined ? tag === "latest" : imagePullPolicy === "Always";
}

/** The next container of a pod starts; with the first one the pod gets its address. */
function startNext(
  pod: Pod,
  store: ObjectStore,
  settings: KubeletSettings,
  now: number,
): { pod: Pod; events: EventNote[] } {
  const statuses = pod.status?.containerStatuses ?? [];
  const next = statuses.findIndex(({ state }) => state?.waiting?.reason === "ContainerCreating");
  const containerStatuses = statuses.map((one, i) => (i === next ? started(one, now) : one));
  const isLast = !containerStatuses.some(({ state }) => state?.waiting?.reason === "ContainerCreating");
  const podIP = isLast ? (pod.status?.podIP ?? addressFor(pod, store, settings)) : undefined;
  const status = {
    ...pod.status,
    phase: isLast ? "Running" : "Pending",
    containerStatuses,
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
  };
  const events = containerEvents(pod, statuses[next]!);
  return { pod: withConditions({ ...pod, status }, now), events };
}

function containerEvents(pod: Pod, { name, image }: ContainerStatus): EventNote[] {
  const told = (reason: string, message: string): EventNote => ({
    about: pod,
    type: "Normal",
    reason,
    message,
    component: "kubelet",
    host: pod.spec?.nodeName ?? "",
    fieldPath: `spec.containers{${name}}`,
  });
  const pulled = needsPull(nextContainer(pod))
    ? [told("Pulling", `pulling image "${image}"`), told("Pulled", `Successfully pulled image "${image}"`)]
    : [told("Pulled", `Container image "${image}" already present on machine`)];
  return [...pulled, told("Created", "Created container"), told("Started", "Started container")];
}

/** The address that docker gives: drawn in advance, or the lowest that is free on the node. */
function addressFor(pod: Pod, store: ObjectStore, { subnets }: KubeletSettings): string | undefined {
  const others = [...store.pods.values()].filter(
    (one) => one.status?.podIP !== undefined && !isTerminal(one),
  );
  const drawn = drawnAddress(store, namespaceOf(pod), nameOf(pod));
  const isFree = drawn !== null && others.every(({ status }) => status?.podIP !== drawn);
  if (isFree && pod.spec?.hostNetwork !== true) return drawn;
  const held = takenAddresses(store, namespaceOf(pod)).map((podIP) => ({
    metadata: { name: podIP, namespace: "" },
    spec: pod.spec ?? { containers: [] },
    status: { podIP },
  }));
  const addresses = allocatePodAddresses([...others, ...held, pod], subnets, () => {});
  return addresses.get(keyOf(pod))?.ip ?? undefined;
}

/** A container's program ends, or is started again after it has. */
function endOrRestart(pod: Pod, settings: KubeletSettings): Transition | null {
  const containers = new Map((pod.spec?.containers ?? []).map((one) => [one.name, one]));
  let first: Transition | null = null;
  for (const status of pod.status?.containerStatuses ?? []) {
    const container = containers.get(status.name);
    const program = container === undefined ? null : settings.programOf(container);
    const since = secondsOf(status.state?.running?.startedAt);
    let at: number | null = null;
    let change: (now: number) => ContainerStatus = () => status;
    if (since !== null && program !== null) {
      at = since + program.seconds;
      change = (now) => terminated(status, program.exitCode, now, pod.spec?.restartPolicy ?? "Always");
    } else if (restartDue(status) !== null) {
      at = restartDue(status);
      change = (now) => restarted(status, now);
    }
    if (at !== null && (first === null || at < first.at)) first = { at, to: changeOf(pod, status, change) };
  }
  return first;
}

function changeOf(
  pod: Pod,
  status: ContainerStatus,
  change: (now: number) => ContainerStatus,
): Transition["to"] {
  return (now) => {
    const statuses = (pod.status?.containerStatuses ?? []).map((one) => (one === status ? change(now) : one));
    return {
      pod: withConditions(withPhase({ ...pod, status: { ...pod.status, containerStatuses: statuses } }), now),
      events: [],
    };
  };
}

/** A running container passes its readiness probe. */
function becomesReady(pod: Pod): Transition | null {
  let at: number | null = null;
  for (const status of pod.status?.containerStatuses ?? []) {
    const due = readiness(pod, status);
    if (status.ready || due === null) continue;
    if (at === null || due < at) at = due;
  }
  return at === null ? null : { at, to: (now) => ({ pod: withConditions(pod, now), events: [] }) };
}
