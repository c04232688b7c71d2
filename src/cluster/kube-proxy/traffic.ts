import type { Endpoint } from "./endpoints.ts";
import { externallyAccessible, type ServicePort } from "./service-port.ts";
import { categorizeEndpoints, type NodeTopology } from "./topology.ts";

/** Which chains of a Service port exist on a node and which endpoints they lead to. */
export interface Traffic {
  readonly port: ServicePort;
  readonly clusterEndpoints: readonly Endpoint[];
  readonly localEndpoints: readonly Endpoint[];
  readonly reachableEndpoints: readonly Endpoint[];
  /** Some node has an endpoint that serves. */
  readonly hasEndpoints: boolean;
  /** Traffic to the cluster IP finds an endpoint from here. */
  readonly hasInternalEndpoints: boolean;
  /** Traffic from outside finds an endpoint from here. */
  readonly hasExternalEndpoints: boolean;
  /** KUBE-SVC or KUBE-SVL, by the internal traffic policy. */
  readonly internalChain: string;
  /** KUBE-SVC or KUBE-SVL, by the external traffic policy. */
  readonly externalPolicyChain: string;
  /** KUBE-EXT exists; it does without local endpoints too, for its short cuts. */
  readonly usesExternalChain: boolean;
  /** KUBE-FW exists. */
  readonly usesFirewallChain: boolean;
}

/** Decides about a Service port's chains, given its endpoints as this node sees them. */
export function trafficOf(port: ServicePort, endpoints: readonly Endpoint[], node: NodeTopology): Traffic {
  const { cluster, local, reachable, hasAny } = categorizeEndpoints(endpoints, port, node);
  const { clusterPolicy, localPolicy } = port.chains;
  return {
    port,
    clusterEndpoints: cluster,
    localEndpoints: local,
    reachableEndpoints: reachable,
    hasEndpoints: hasAny,
    hasInternalEndpoints: hasAny && (!port.internalPolicyLocal || local.length > 0),
    hasExternalEndpoints: hasAny && (!port.externalPolicyLocal || local.length > 0),
    internalChain: port.internalPolicyLocal ? localPolicy : clusterPolicy,
    externalPolicyChain: port.externalPolicyLocal ? localPolicy : clusterPolicy,
    usesExternalChain: hasAny && externallyAccessible(port),
    usesFirewallChain: hasAny && port.loadBalancerVIPs.length > 0 && port.loadBalancerSourceRanges.length > 0,
  };
}
