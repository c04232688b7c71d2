/** The Endpoints object of a Service, as the endpoints controller writes it (`pkg/controller/endpoint`): ready pods. */
import type { EndpointAddress, EndpointSubset, Endpoints, Pod, Service } from "kubernetes-types/core/v1.js";
import { isReady, isTerminal } from "../objects/pod.ts";
import { keyOf, nameOf, namespaceOf, type ObjectStore } from "../objects/store.ts";
import { podsBehind, targetPortOf } from "./endpoints.ts";
import { indexPods } from "./pod-index.ts";

/** That which is written down, or that which the selector makes; null for a Service that has neither. */
export function endpointsOf(service: Service, store: ObjectStore): Endpoints | null {
  const written = store.endpoints.get(keyOf(service));
  if (written !== undefined) return written;
  if (Object.keys(service.spec?.selector ?? {}).length === 0) return null;
  const subsets = new Map<string, EndpointSubset>();
  for (const pod of podsBehind(service, indexPods(store.pods.values()))) addPod(pod, service, subsets);
  const { labels, creationTimestamp, uid } = service.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name: nameOf(service),
      namespace: namespaceOf(service),
      ...(labels === undefined ? {} : { labels }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(uid === undefined ? {} : { uid }),
    },
    subsets: [...subsets.values()],
  };
}

function addPod(pod: Pod, service: Service, subsets: Map<string, EndpointSubset>): void {
  const { podIP } = pod.status ?? {};
  if (podIP === undefined || isTerminal(pod) || pod.metadata?.deletionTimestamp !== undefined) return;
  const ports = (service.spec?.ports ?? []).flatMap((one) => {
    const port = targetPortOf(pod, one);
    const { name, protocol = "TCP" } = one;
    return port === null ? [] : [{ ...(name === undefined ? {} : { name }), port, protocol }];
  });
  const key = JSON.stringify(ports);
  const subset: EndpointSubset = subsets.get(key) ?? { ports };
  subsets.set(key, subset);
  const address: EndpointAddress = {
    ip: podIP,
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: "Pod", name: nameOf(pod), namespace: namespaceOf(pod) },
  };
  const list = isReady(pod) ? "addresses" : "notReadyAddresses";
  subset[list] = [...(subset[list] ?? []), address].sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

/** `formatEndpoints`: the first three, and how many more; `<none>` when there are none. */
export function endpointsText(endpoints: Endpoints | null, portName?: string): string {
  const all = (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    ports
      .filter(({ name }) => portName === undefined || (name ?? "") === portName)
      .flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)),
  );
  if (all.length === 0) return "<none>";
  const more = all.length - SHOWN;
  return `${all.slice(0, SHOWN).join(",")}${more > 0 ? ` + ${more} more...` : ""}`;
}

const SHOWN = 3;
