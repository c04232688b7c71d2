/** Services and what stands behind them: defaults, ClusterIPs, node ports, EndpointSlices. */
import type { Pod, Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { allocateClusterIPs, type ServiceRange } from "../../cluster/controllers/cluster-ip.ts";
import { deriveEndpointSlices, podsBehind, targetPortOf } from "../../cluster/controllers/endpoints.ts";
import { allocateNodePorts } from "../../cluster/controllers/node-port.ts";
import { indexPods } from "../../cluster/controllers/pod-index.ts";
import { defaultEndpointSlice, SERVICE_NAME_LABEL } from "../../cluster/objects/endpoint-slice.ts";
import { didYouMean } from "../../cluster/objects/nearest.ts";
import { isTerminal } from "../../cluster/objects/pod.ts";
import { defaultService } from "../../cluster/objects/service.ts";
import { inKeyOrder, keyOf, namespaceOf, type ObjectStore } from "../../cluster/objects/store.ts";
import type { AddressBook } from "./address-book.ts";
import type { Context } from "./context.ts";

/** The Services and IPv4 slices of the model, and the store with both complete. */
export interface ResolvedServices {
  store: ObjectStore;
  services: Service[];
  endpointSlices: EndpointSlice[];
}

/** Defaults and addresses the Services of a store whose pods are complete, and finds their endpoints. */
export function resolveServices(
  context: Context,
  store: ObjectStore,
  range: ServiceRange,
  book: AddressBook,
): ResolvedServices {
  const report: Context["report"] = (...fault) => context.report(...fault);
  const defaulted = inKeyOrder(store.services).map((service) => {
    const namespace = namespaceOf(service);
    return defaultService({ ...service, metadata: { ...service.metadata, namespace } });
  });
  checkHolders(defaulted, store, book, context);
  const services = allocateClusterIPs(allocateNodePorts(defaulted, report), range, report);
  const withServices = { ...store, services: new Map(services.map((one) => [keyOf(one), one])) };
  checkTargetPorts(services, withServices, context);
  const slices = [
    ...inKeyOrder(store.endpointSlices).map(inNamespace),
    ...deriveEndpointSlices(withServices),
  ];
  const endpointSlices = slices.map(defaultEndpointSlice);
  const bySliceKey = new Map(endpointSlices.map((one) => [keyOf(one), one]));
  return {
    store: { ...withServices, endpointSlices: bySliceKey },
    services,
    endpointSlices: inKeyOrder(bySliceKey).filter(({ addressType }) => addressType === "IPv4"),
  };
}

function inNamespace(slice: EndpointSlice): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, namespace: namespaceOf(slice) } };
}

/** A ClusterIP that a node, a host or a pod has already would never be reached. */
function checkHolders(
  services: readonly Service[],
  store: ObjectStore,
  book: AddressBook,
  { report }: Context,
): void {
  const pods = new Map<string, string>();
  for (const pod of store.pods.values())
    if (pod.status?.podIP !== undefined && !isTerminal(pod)) pods.set(pod.status.podIP, keyOf(pod));
  for (const service of services) {
    const clusterIP = service.spec?.clusterIP ?? "";
    const pod = pods.get(clusterIP);
    const holder = book.holderOf(clusterIP) ?? (pod === undefined ? null : `Pod ${pod}`);
    if (holder !== null)
      report(service, ["spec", "clusterIP"], `${clusterIP} is the address of ${holder} already`);
  }
}

/**
 * A target port by name that none of the selected pods has leads nowhere. Judged where pods are selected and nothing but
 * the selector says what the endpoints are.
 */
function checkTargetPorts(
  services: readonly Service[],
  store: ObjectStore,
  { objects, report }: Context,
): void {
  for (const key of objects.broken) if (!/^(Service|Node|Host|Endpoint)/.test(key)) return;
  const index = indexPods(store.pods.values());
  const served = new Set(store.endpoints.keys());
  for (const slice of store.endpointSlices.values())
    served.add(`${namespaceOf(slice)}/${slice.metadata?.labels?.[SERVICE_NAME_LABEL] ?? ""}`);
  for (const service of services) {
    const named = (service.spec?.ports ?? []).some(({ targetPort }) => typeof targetPort === "string");
    if (!named || served.has(keyOf(service))) continue;
    const pods = podsBehind(service, index);
    for (const [i, port] of (service.spec?.ports ?? []).entries()) {
      const { targetPort, protocol = "TCP" } = port;
      if (typeof targetPort !== "string" || pods.length === 0) continue;
      if (pods.some((pod) => targetPortOf(pod, port) !== null)) continue;
      const hint = didYouMean(targetPort, portNames(pods, protocol));
      report(
        service,
        ["spec", "ports", i, "targetPort"],
        `no selected pod has a ${protocol} port named "${targetPort}"${hint}`,
      );
    }
  }
}

function portNames(pods: readonly Pod[], protocol: string): Set<string> {
  const names = new Set<string>();
  for (const pod of pods)
    for (const { ports = [] } of pod.spec?.containers ?? [])
      for (const port of ports)
        if (port.name !== undefined && (port.protocol ?? "TCP") === protocol) names.add(port.name);
  return names;
}
