import { type Endpoint, isLocal } from "./endpoints.ts";
import { type ServicePort, usesClusterEndpoints, usesLocalEndpoints } from "./service-port.ts";

/** Endpoints of a Service port by how traffic may reach them from one node. */
export interface CategorizedEndpoints {
  /** For traffic policy Cluster; empty when the port never uses it. */
  readonly cluster: readonly Endpoint[];
  /** For traffic policy Local; empty when the port never uses it. */
  readonly local: readonly Endpoint[];
  /** The union of both, in text order. */
  readonly reachable: readonly Endpoint[];
  /** Whether anything anywhere in the cluster could serve, even when nothing can be reached from here. */
  readonly hasAny: boolean;
}

/** What of a node decides which endpoints its kube-proxy uses. */
export interface NodeTopology {
  readonly nodeName: string;
  /** The Node's label `topology.kubernetes.io/zone`; empty: none. */
  readonly zone: string;
}

function isServingTerminating(endpoint: Endpoint): boolean {
  return endpoint.serving && endpoint.terminating;
}

/** Ready endpoints, or, when there is none, those that still serve while they terminate. */
function readyOrTerminating(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter(isServingTerminating);
}

/** Zone hints count when every ready endpoint has one and one of them names this node's zone. */
function canUseTopology(ready: readonly Endpoint[], zone: string): boolean {
  return (
    zone !== "" &&
    ready.every((endpoint) => endpoint.zoneHints.length > 0) &&
    ready.some((endpoint) => endpoint.zoneHints.includes(zone))
  );
}

function clusterEndpoints(endpoints: readonly Endpoint[], zone: string): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  if (ready.length === 0) return endpoints.filter(isServingTerminating);
  return canUseTopology(ready, zone) ? ready.filter((endpoint) => endpoint.zoneHints.includes(zone)) : ready;
}

function union(cluster: readonly Endpoint[], local: readonly Endpoint[]): readonly Endpoint[] {
  const seen = new Set(cluster.map((endpoint) => endpoint.text));
  const extra = local.filter((endpoint) => !seen.has(endpoint.text));
  if (extra.length === 0) return cluster;
  return [...cluster, ...extra].sort((a, b) => (a.text < b.text ? -1 : 1));
}

/**
 * Sorts the endpoints of a Service port by traffic policy, hints and termination
 * (pkg/proxy/topology.go: CategorizeEndpoints). Policies Cluster and Local fall back to terminating endpoints
 * independently of each other; hints bear on Cluster alone, and not on terminating endpoints.
 */
export function categorizeEndpoints(
  endpoints: readonly Endpoint[],
  port: ServicePort,
  node: NodeTopology,
): CategorizedEndpoints {
  const usesCluster = usesClusterEndpoints(port);
  const usesLocal = usesLocalEndpoints(port);
  const cluster = usesCluster ? clusterEndpoints(endpoints, node.zone) : [];
  if (!usesLocal) return { cluster, local: [], reachable: cluster, hasAny: cluster.length > 0 };

  const local = readyOrTerminating(endpoints.filter((endpoint) => isLocal(endpoint, node.nodeName)));
  const hasAny = endpoints.some((endpoint) => endpoint.ready || isServingTerminating(endpoint));
  return { cluster, local, reachable: usesCluster ? union(cluster, local) : local, hasAny };
}
