import type { Endpoint as ApiEndpoint, EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { canonicalIpv4 } from "./ipv4.ts";
import { endpointChainName, servicePortNameString } from "./names.ts";
import { isWatched } from "./service-port.ts";

/** One `ip:port` behind a Service port (pkg/proxy/endpoint.go: BaseEndpointInfo), the same on every node. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
  /** `ip:port`; endpoints of a Service port are in the order of this text. */
  readonly text: string;
  readonly nodeName: string | undefined;
  /** Ready and not terminating (or the Service publishes what is not ready). */
  readonly ready: boolean;
  /** Ready whether terminating or not. */
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Zones that should use this endpoint; empty: no hint. */
  readonly zoneHints: readonly string[];
  readonly chainName: string;
  /** Further entries with the same `ip:port`, in the order of slices and entries; {@link endpointsOnNode} picks one. */
  readonly duplicates: readonly Endpoint[];
}

/** Endpoints by {@link endpointsKey}. */
export type EndpointsMap = ReadonlyMap<string, readonly Endpoint[]>;

/** Key of a Service port's endpoints: kube-proxy joins slices to Service ports by name **and** protocol. */
export function endpointsKey(servicePortName: string, protocol: string): string {
  return `${servicePortName} ${protocol}`;
}

function endpointOf(
  entry: ApiEndpoint,
  port: number,
  servicePortName: string,
  protocol: string,
): ApiEndpointInfo | undefined {
  const address = entry.addresses[0];
  if (address === undefined) return undefined;
  const ip = canonicalIpv4(address) ?? address;
  const text = `${ip}:${port}`;
  return new ApiEndpointInfo(ip, port, text, entry, servicePortName, protocol);
}

/** An entry of a slice. Its chain's name is a hash, which is worked out when somebody needs it: a cluster has many endpoints. */
class ApiEndpointInfo implements Endpoint {
  readonly ip: string;
  readonly port: number;
  readonly text: string;
  readonly nodeName: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
  readonly duplicates: Endpoint[] = [];
  private readonly servicePortName: string;
  private readonly protocol: string;
  private hashed: string | null = null;

  constructor(
    ip: string,
    port: number,
    text: string,
    { nodeName, conditions, hints }: ApiEndpoint,
    servicePortName: string,
    protocol: string,
  ) {
    this.ip = ip;
    this.port = port;
    this.text = text;
    this.nodeName = nodeName;
    this.ready = conditions?.ready ?? true;
    this.serving = conditions?.serving ?? true;
    this.terminating = conditions?.terminating ?? false;
    this.zoneHints = hints?.forZones?.map((zone) => zone.name) ?? NO_ZONES;
    this.servicePortName = servicePortName;
    this.protocol = protocol;
  }

  get chainName(): string {
    this.hashed ??= endpointChainName(this.servicePortName, this.protocol, this.text);
    return this.hashed;
  }
}

const NO_ZONES: readonly string[] = [];

function compareText(a: { text: string }, b: { text: string }): number {
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

function mergeDuplicates(endpoints: readonly ApiEndpointInfo[]): readonly Endpoint[] {
  const merged: ApiEndpointInfo[] = [];
  for (const endpoint of [...endpoints].sort(compareText)) {
    const last = merged.at(-1);
    if (last?.text === endpoint.text) last.duplicates.push(endpoint);
    else merged.push(endpoint);
  }
  return merged;
}

interface WatchedSlice {
  readonly namespace: string;
  readonly serviceName: string;
  readonly slice: EndpointSlice;
}

/** Slices that kube-proxy takes in, the last of equal names, in the order of their names. */
function watchedSlices(slices: readonly EndpointSlice[]): readonly WatchedSlice[] {
  const byName = new Map<string, WatchedSlice>();
  for (const slice of slices) {
    const labels = slice.metadata?.labels;
    const serviceName = labels?.["kubernetes.io/service-name"] ?? "";
    const sliceName = slice.metadata?.name ?? "";
    if (slice.addressType !== "IPv4" || !isWatched(labels) || serviceName === "" || sliceName === "")
      continue;
    const namespace = slice.metadata?.namespace ?? "default";
    byName.set(`${namespace}/${serviceName} ${sliceName}`, { namespace, serviceName, slice });
  }
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, watched]) => watched);
}

/**
 * Endpoints of every Service port, from all slices (pkg/proxy/endpointslicecache.go). Only the first address of
 * an entry counts; a slice port without name or number is passed over. An entry that does not say is ready,
 * serving and not terminating.
 */
export function endpointsByServicePort(slices: readonly EndpointSlice[]): EndpointsMap {
  const found = new Map<string, ApiEndpointInfo[]>();
  for (const { namespace, serviceName, slice } of watchedSlices(slices)) {
    for (const port of slice.ports ?? []) {
      if (port.name === undefined || port.name === null || !port.port) continue;
      const servicePortName = servicePortNameString(namespace, serviceName, port.name);
      const protocol = (port.protocol ?? "TCP").toLowerCase();
      const key = endpointsKey(servicePortName, protocol);
      let endpoints = found.get(key);
      if (endpoints === undefined) {
        endpoints = [];
        found.set(key, endpoints);
      }
      for (const entry of slice.endpoints ?? []) {
        const endpoint = endpointOf(entry, port.port, servicePortName, protocol);
        if (endpoint !== undefined) endpoints.push(endpoint);
      }
    }
  }
  const merged = new Map<string, readonly Endpoint[]>();
  for (const [key, endpoints] of found) {
    if (endpoints.length > 0) merged.set(key, mergeDuplicates(endpoints));
  }
  return merged;
}

/** Whether the endpoint runs on the node. */
export function isLocal(endpoint: Endpoint, nodeName: string): boolean {
  return nodeName !== "" && endpoint.nodeName === nodeName;
}

/**
 * The endpoints as one node's kube-proxy sees them. Where several entries have one `ip:port`, the first counts,
 * unless a later one is local (endpointslicecache.go: addEndpoints). Without duplicates it is the same array.
 */
export function endpointsOnNode(endpoints: readonly Endpoint[], nodeName: string): readonly Endpoint[] {
  if (!endpoints.some((endpoint) => endpoint.duplicates.length > 0)) return endpoints;
  return endpoints.map((endpoint) => {
    const local = endpoint.duplicates.findLast((duplicate) => isLocal(duplicate, nodeName));
    return local ?? endpoint;
  });
}
