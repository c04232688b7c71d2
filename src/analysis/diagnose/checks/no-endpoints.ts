import type { Service } from "kubernetes-types/core/v1.js";
import type { ClusterModel, PodModel } from "../../../cluster/objects/model.ts";
import type { Trace } from "../../../trace/trace.ts";
import { listeningPorts, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editPod, editSlices } from "../edit.ts";
import { type ServiceTarget, serviceTargets, slicesOf } from "../service-target.ts";
import { observation, tryFlow } from "../try-flow.ts";

/** Nobody is ready behind the Service, so kube-proxy rejects what is sent to it. */
export const noEndpoints: Check = {
  id: "no-endpoints",
  severity: "error",
  symptom: "connections to the Service are refused at once",
  *suspects(model) {
    for (const target of serviceTargets(model)) {
      if (target.endpoints.length > 0) continue;
      const { namespace, name, ref, protocol, service } = target;
      const [pod] = sandboxPods(model);
      const from = pod === undefined ? `node/${model.nodes[0]?.name}` : podRef(pod);
      const selected = selectedPods(model, namespace, service);
      yield {
        subject: { kind: "Service", namespace, name, path: selected.length > 0 ? [] : ["spec", "selector"] },
        message: `${namespace}/${name} has no ready endpoint: ${whyNone(model, target, selected)}`,
        mend:
          selected.length > 0
            ? `kubectl -n ${namespace} describe pod ${selected[0]!.name}    # its readiness probe`
            : `kubectl -n ${namespace} set selector svc ${name} ${suggestion(model, namespace, service)}`,
        observe(current) {
          const trace = tryFlow(current, { from, to: ref, protocol });
          return observation(trace, isRejected(trace));
        },
        mended: (current) => withEndpoint(current, target, selected),
      };
    }
  },
};

/** By a rule of iptables or of nftables: the sender is told port unreachable. */
const isRejected = ({ verdict, reason, icmp }: Trace): boolean =>
  verdict === "rejected" || (reason === "NETFILTER_DROP" && icmp?.type === 3 && icmp.code === 3);

const selectorOf = (service: Service): [string, string][] => Object.entries(service.spec?.selector ?? {});

function selectedPods(model: ClusterModel, namespace: string, service: Service): PodModel[] {
  const selector = selectorOf(service);
  if (selector.length === 0) return [];
  return model.pods.filter(
    (pod) => pod.namespace === namespace && selector.every(([key, value]) => pod.labels[key] === value),
  );
}

function whyNone(model: ClusterModel, target: ServiceTarget, selected: readonly PodModel[]): string {
  const selector = selectorOf(target.service)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  if (selector === "") return "it has no selector, and its EndpointSlices hold no ready address";
  if (selected.length > 0)
    return `its selector ${selector} matches ${selected.map(({ name }) => name).join(", ")}, not ready`;
  const near = nearPods(model, target.namespace, target.service)[0];
  const seen = near === undefined ? "" : ` (${near.name} has ${labelsText(near.labels)})`;
  return `its selector ${selector} matches no pod${seen}`;
}

const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** Pods that have the selector's keys, with other values: most likely those that were meant. */
const nearPods = (model: ClusterModel, namespace: string, service: Service): PodModel[] =>
  model.pods.filter(
    (pod) =>
      pod.namespace === namespace &&
      pod.ready &&
      selectorOf(service).length > 0 &&
      selectorOf(service).every(([key]) => key in pod.labels),
  );

function suggestion(model: ClusterModel, namespace: string, service: Service): string {
  const [near] = nearPods(model, namespace, service);
  return selectorOf(service)
    .map(([key]) => `${key}=${near?.labels[key] ?? "VALUE"}`)
    .join(",");
}

/** The model in which a pod that was meant is ready behind the Service; null when none can be named. */
function withEndpoint(
  model: ClusterModel,
  { namespace, name, port, service }: ServiceTarget,
  selected: readonly PodModel[],
): ClusterModel | null {
  const pod = selected[0] ?? nearPods(model, namespace, service)[0];
  const [slice] = slicesOf(model, namespace, name);
  if (pod === undefined || slice === undefined) return null;
  const ready = editPod(model, pod, (one) => ({
    ...one,
    ready: true,
    containers: one.containers.map((container) => ({ ...container, ready: true })),
  }));
  const listening = listeningPorts(ready.pods.find((one) => one.ip === pod.ip) ?? pod);
  const number = typeof port.targetPort === "number" ? port.targetPort : (listening[0]?.port ?? port.port);
  return editSlices(ready, (one) =>
    one !== slice
      ? one
      : {
          ...one,
          ports: [{ name: port.name ?? "", port: number, protocol: port.protocol ?? "TCP" }],
          endpoints: [{ addresses: [pod.ip], conditions: { ready: true }, nodeName: pod.nodeName }],
        },
  );
}
