import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { servicePortNameString } from "../names.ts";

/** One ready `ip:port` of an Endpoints object. */
export interface Endpoint {
  readonly ip: string;
  /** `ip:port`. */
  readonly text: string;
  readonly nodeName: string | undefined;
}

/** Ready endpoints by `namespace/name[:portName]`: in 1.7 the protocol is no part of the key. */
export type EndpointsMap = ReadonlyMap<string, readonly Endpoint[]>;

function byAddress(a: Endpoint, b: Endpoint): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

/**
 * What 1.7 would have found in the Endpoints objects, of which EndpointSlices are the successors: ready addresses
 * alone, in the text order of addresses that the endpoints controller wrote them in. (Where Pods of one Service
 * port listen on different ports, that controller's order was by a hash of the ports; here it is by address.)
 */
export function endpointsByServicePort(slices: readonly EndpointSlice[]): EndpointsMap {
  const found = new Map<string, Map<string, Endpoint>>();
  const inOrder = [...slices].sort((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1));
  for (const slice of inOrder) {
    const serviceName = slice.metadata?.labels?.["kubernetes.io/service-name"] ?? "";
    if (slice.addressType !== "IPv4" || serviceName === "") continue;
    for (const port of slice.ports ?? []) {
      if (!port.port) continue;
      const key = servicePortNameString(slice.metadata?.namespace ?? "default", serviceName, port.name ?? "");
      const endpoints = found.get(key) ?? new Map<string, Endpoint>();
      found.set(key, endpoints);
      for (const { addresses, conditions, nodeName } of slice.endpoints ?? []) {
        const ip = addresses[0];
        if (ip === undefined || !(conditions?.ready ?? true)) continue;
        const text = `${ip}:${port.port}`;
        endpoints.set(text, { ip, text, nodeName });
      }
    }
  }
  return new Map([...found].map(([key, endpoints]) => [key, [...endpoints.values()].sort(byAddress)]));
}
