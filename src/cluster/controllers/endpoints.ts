/**
 * The endpoint slice controllers: which addresses stand behind a Service.
 *
 * Slices of a Service that are there are used as they stand; otherwise its Endpoints object is mirrored; otherwise they
 * are derived from the selector (`staging/src/k8s.io/endpointslice`). A Service with neither has none.
 */
import type { Endpoints, Node, Pod, Service, ServicePort } from "kubernetes-types/core/v1.js";
import type { Endpoint, EndpointPort, EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { isAddress } from "../objects/address.ts";
import { SERVICE_NAME_LABEL } from "../objects/endpoint-slice.ts";
import { zoneOf } from "../objects/node.ts";
import { isReady, isTerminal } from "../objects/pod.ts";
import { isExternalName, isHeadless } from "../objects/service.ts";
import { inKeyOrder, keyOf, nameOf, namespaceOf, type ObjectStore } from "../objects/store.ts";
import { generatedName } from "./generated-name.ts";
import { indexPods, type PodIndex, selectPods } from "./pod-index.ts";

/** `--max-endpoints-per-slice` of the controller manager. */
const MAX_ENDPOINTS_PER_SLICE = 100;

const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
const HEADLESS_LABEL = "service.kubernetes.io/headless";

/**
 * The slices to be created, in order of Service. Pods must have their addresses (`status.podIP`) and nodes by now;
 * Services must be defaulted.
 */
export function deriveEndpointSlices(store: ObjectStore): EndpointSlice[] {
  const served = new Set<string>();
  for (const slice of store.endpointSlices.values())
    served.add(`${namespaceOf(slice)}/${slice.metadata?.labels?.[SERVICE_NAME_LABEL] ?? ""}`);
  const index = indexPods(store.pods.values());
  const slices: EndpointSlice[] = [];
  for (const service of inKeyOrder(store.services)) {
    if (served.has(keyOf(service)) || isExternalName(service)) continue;
    const endpoints = store.endpoints.get(keyOf(service));
    if (endpoints !== undefined) slices.push(...mirrorEndpoints(endpoints, service));
    else slices.push(...slicesOfSelector(service, index, store.nodes));
  }
  return slices;
}

/** The pods a Service selects; none without a selector. */
export function podsBehind(service: Service, index: PodIndex): Pod[] {
  const { selector } = service.spec ?? {};
  if (selector === undefined || Object.keys(selector).length === 0) return [];
  return selectPods(index, namespaceOf(service), { matchLabels: selector });
}

/** Slices of the pods a Service selects: pods with equal port numbers share slices (`reconcileByAddressType`). */
function slicesOfSelector(
  service: Service,
  index: PodIndex,
  nodes: ReadonlyMap<string, Node>,
): EndpointSlice[] {
  const { selector } = service.spec ?? {};
  if (selector === undefined || Object.keys(selector).length === 0) return [];
  const groups = new Map<string, { ports: EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of podsBehind(service, index)) {
    if (isTerminal(pod) || pod.status?.podIP === undefined) continue;
    const ports = endpointPorts(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(podEndpoint(service, pod, nodes));
  }
  if (groups.size === 0) groups.set("", { ports: [], endpoints: [] });
  return [...groups.values()].flatMap(({ ports, endpoints }, i) =>
    inChunks(endpoints).map((chunk, j) =>
      newSlice(service, "endpointslice-controller.k8s.io", `${i}/${j}`, chunk, ports),
    ),
  );
}

/** `podToEndpoint`. */
function podEndpoint(service: Service, pod: Pod, nodes: ReadonlyMap<string, Node>): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const nodeName = pod.spec?.nodeName;
  const zone = zoneOf(nodes.get(nodeName ?? ""));
  const { hostname, subdomain } = pod.spec ?? {};
  const hints = ready ? zoneHints(service, zone) : null;
  return {
    addresses: [pod.status?.podIP ?? ""],
    conditions: { ready, serving, terminating },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === null ? {} : { zone }),
    ...(hints === null ? {} : { hints }),
    ...(hostname !== undefined && subdomain === nameOf(service) ? { hostname } : {}),
    targetRef: { kind: "Pod", namespace: namespaceOf(pod), name: nameOf(pod) },
  };
}

/** `trafficDistribution: PreferClose` hints each ready endpoint for its own zone (`trafficdist.ReconcileHints`). */
function zoneHints(service: Service, zone: string | null): NonNullable<Endpoint["hints"]> | null {
  const { trafficDistribution } = service.spec ?? {};
  if (trafficDistribution !== "PreferClose" && trafficDistribution !== "PreferSameZone") return null;
  return zone === null ? null : { forZones: [{ name: zone }] };
}

/** `getEndpointPorts`: a named target port that the pod does not have is left out. */
function endpointPorts(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = targetPortOf(pod, servicePort);
    if (port === null) continue;
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    ports.push({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports;
}

/** The container port that a Service's port means in this pod (`podutil.FindPort`), or null. */
export function targetPortOf(pod: Pod, { targetPort, port, protocol = "TCP" }: ServicePort): number | null {
  if (typeof targetPort !== "string") return targetPort ?? port;
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const candidate of container.ports ?? [])
      if (candidate.name === targetPort && (candidate.protocol ?? "TCP") === protocol)
        return candidate.containerPort;
  return null;
}

/** An Endpoints object as slices, one or more a subset (`pkg/controller/endpointslicemirroring`). */
function mirrorEndpoints(endpoints: Endpoints, service: Service): EndpointSlice[] {
  return (endpoints.subsets ?? []).flatMap((subset, i) => {
    const ports = (subset.ports ?? []).map(({ name = "", port, protocol = "TCP" }) => ({
      name,
      port,
      protocol,
    }));
    const of = (addresses: typeof subset.addresses, ready: boolean): Endpoint[] =>
      (addresses ?? [])
        .filter(({ ip }) => isAddress(ip))
        .map(({ ip, nodeName, hostname, targetRef }) => ({
          addresses: [ip],
          conditions: { ready },
          ...(nodeName === undefined ? {} : { nodeName }),
          ...(hostname === undefined ? {} : { hostname }),
          ...(targetRef === undefined ? {} : { targetRef }),
        }));
    const all = [...of(subset.addresses, true), ...of(subset.notReadyAddresses, false)];
    return inChunks(all).map((chunk, j) =>
      newSlice(service, "endpointslicemirroring-controller.k8s.io", `${i}/${j}`, chunk, ports),
    );
  });
}

/** `newEndpointSlice`. */
function newSlice(
  service: Service,
  managedBy: string,
  identity: string,
  endpoints: Endpoint[],
  ports: EndpointPort[],
): EndpointSlice {
  const name = nameOf(service);
  const namespace = namespaceOf(service);
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: generatedName(name, `${namespace}/endpoints/${identity}`, () => false),
      namespace,
      labels: {
        ...service.metadata?.labels,
        [SERVICE_NAME_LABEL]: name,
        [MANAGED_BY_LABEL]: managedBy,
        ...(isHeadless(service) ? { [HEADLESS_LABEL]: "" } : {}),
      },
    },
    addressType: "IPv4",
    endpoints,
    ports,
  };
}

function inChunks(endpoints: Endpoint[]): Endpoint[][] {
  const chunks: Endpoint[][] = [];
  for (let at = 0; at < endpoints.length || at === 0; at += MAX_ENDPOINTS_PER_SLICE)
    chunks.push(endpoints.slice(at, at + MAX_ENDPOINTS_PER_SLICE));
  return chunks;
}
