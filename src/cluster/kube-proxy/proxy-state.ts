import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { type Endpoint, type EndpointsMap, endpointsByServicePort, endpointsKey } from "./endpoints.ts";
import { type ServicePort, servicePortsOf } from "./service-port.ts";

/** The cluster's Services and endpoints as kube-proxies keep them: the same for every node, so share it. */
export interface ProxyState {
  /** In the order of namespace, name and port name. */
  readonly servicePorts: readonly ServicePort[];
  readonly endpoints: EndpointsMap;
  /** Endpoints of all Service ports, ready or not. */
  readonly totalEndpoints: number;
}

function compareServicePorts(a: ServicePort, b: ServicePort): number {
  for (const field of ["namespace", "name", "portName", "protocol"] as const) {
    if (a[field] !== b[field]) return a[field] < b[field] ? -1 : 1;
  }
  return 0;
}

/** The endpoints of one Service port, in text order. */
export function endpointsOf(state: ProxyState, port: ServicePort): readonly Endpoint[] {
  return state.endpoints.get(endpointsKey(port.nameString, port.protocol)) ?? [];
}

/** Takes in all Services and EndpointSlices; of two Services with one name the later counts. */
export function proxyState(services: readonly Service[], slices: readonly EndpointSlice[]): ProxyState {
  const byName = new Map<string, readonly ServicePort[]>();
  for (const service of services) {
    const { namespace = "default", name = "" } = service.metadata ?? {};
    byName.set(`${namespace}/${name}`, servicePortsOf(service));
  }
  const servicePorts = [...byName.values()].flat().sort(compareServicePorts);
  const endpoints = endpointsByServicePort(slices);
  let totalEndpoints = 0;
  for (const port of servicePorts) {
    totalEndpoints += endpoints.get(endpointsKey(port.nameString, port.protocol))?.length ?? 0;
  }
  return { servicePorts, endpoints, totalEndpoints };
}
