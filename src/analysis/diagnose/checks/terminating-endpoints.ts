import type { Pod } from "kubernetes-types/core/v1.js";
import type { ClusterModel, PodModel } from "../../../cluster/objects/model.ts";
import { send } from "../../../trace/send.ts";
import { podRef, sandboxPods } from "../cast.ts";
import type { Check, Observation } from "../check.ts";
import { editPod, editSlices } from "../edit.ts";
import { type ServiceTarget, serviceTargets } from "../service-target.ts";
import { flowText, freshNetworkOf, observation, translatedTo, works } from "../try-flow.ts";

/**
 * How long rules lag behind an endpoint at least: kube-proxy syncs no sooner than iptables.minSyncPeriod after the last
 * time, 1 s unless configured otherwise.
 */
const SYNC_US = 1_000_000;

/** A pod that is being deleted ends before the rules of all nodes have forgotten it. */
export const terminatingEndpoints: Check = {
  id: "terminating-endpoints",
  severity: "error",
  symptom: "during a rolling update a few connections are reset or refused",
  *suspects(model) {
    for (const pod of sandboxPods(model)) {
      if (!pod.terminating || staysOn(model, pod)) continue;
      const before = beforeDeletion(model, pod);
      for (const target of serviceTargets(before)) {
        const self = target.endpoints.findIndex(({ ip }) => ip === pod.ip);
        const caller = sandboxPods(model).find(
          (one) => one !== pod && !target.endpoints.some(({ ip }) => ip === one.ip),
        );
        if (self < 0 || caller === undefined) continue;
        const { namespace, name } = pod;
        yield {
          subject: { kind: "Pod", namespace, name, path: ["spec"] },
          message: `pod ${namespace}/${name} ends at SIGTERM, while nodes go on sending it its share of ${target.ref} until their kube-proxies have synced`,
          mend: `lifecycle: {preStop: {sleep: {seconds: 5}}}    # in the container: longer than the rules take`,
          observe: (current) => history(current, pod, target, self, podRef(caller)),
          mended: (current) => withPreStop(current, pod),
        };
      }
    }
  },
};

interface Handler {
  readonly sleep?: { readonly seconds?: number };
  readonly exec?: { readonly command?: readonly string[] };
}

const kubernetesPod = ({ store }: ClusterModel, { namespace, name }: PodModel): Pod | undefined =>
  store.pods.get(`${namespace}/${name}`);

/** Does every container that listens sleep before it ends, for longer than the rules take? */
function staysOn(model: ClusterModel, pod: PodModel): boolean {
  const containers = kubernetesPod(model, pod)?.spec?.containers ?? [];
  const serving = containers.filter(({ ports = [] }) => ports.length > 0);
  return (
    serving.length > 0 &&
    serving.every(({ lifecycle }) => secondsOf(lifecycle?.preStop as Handler) * 1e6 > SYNC_US)
  );
}

/** Seconds that a preStop hook takes: `sleep`, or `exec` of a command that sleeps. */
function secondsOf(handler: Handler | undefined): number {
  const words = handler?.exec?.command?.join(" ") ?? "";
  return handler?.sleep?.seconds ?? Number(/\bsleep (\d+)/.exec(words)?.[1] ?? 0);
}

/** The cluster a moment ago, when the pod was an endpoint like the others. */
function beforeDeletion(model: ClusterModel, pod: PodModel): ClusterModel {
  const alive = editPod(model, pod, (one) => ({
    ...one,
    ready: true,
    terminating: false,
    containers: one.containers.map((container) => ({ ...container, ready: true })),
  }));
  return editSlices(alive, (slice) => ({
    ...slice,
    endpoints: slice.endpoints.map((endpoint) =>
      endpoint.addresses.includes(pod.ip) ? { ...endpoint, conditions: { ready: true } } : endpoint,
    ),
  }));
}

/** SIGTERM comes; half a sync later a request still finds the rules of before. */
function history(
  model: ClusterModel,
  pod: PodModel,
  target: ServiceTarget,
  k: number,
  from: string,
): Observation {
  const cluster = freshNetworkOf(beforeDeletion(model, pod), k);
  const ending = cluster.pod(pod.namespace, pod.name);
  if (ending !== null && !staysOn(model, pod))
    for (const { netns, listener } of ending.listeners) netns.sockets.close(listener);
  cluster.network.advance(SYNC_US / 2);
  const trace = send(cluster, { from, to: target.ref, protocol: target.protocol });
  const toIt = translatedTo(trace)?.startsWith(`${pod.ip}:`) === true;
  return observation(trace, toIt && !works(trace), {
    flow: `${flowText(trace.request)}, half a second after the pod's SIGTERM`,
  });
}

function withPreStop(model: ClusterModel, pod: PodModel): ClusterModel {
  const object = kubernetesPod(model, pod);
  if (object?.spec === undefined) return model;
  const handler: Handler = { sleep: { seconds: 5 } };
  const containers = object.spec.containers.map((container) => ({
    ...container,
    lifecycle: { preStop: handler as object },
  }));
  const pods = new Map(model.store.pods).set(`${pod.namespace}/${pod.name}`, {
    ...object,
    spec: { ...object.spec, containers },
  });
  return { ...model, store: { ...model.store, pods } };
}
