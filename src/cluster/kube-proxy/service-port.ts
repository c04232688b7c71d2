import type { ServicePort as ApiServicePort, Service } from "kubernetes-types/core/v1.js";
import { canonicalIpv4, type Ipv4Block, ipv4Blocks } from "./ipv4.ts";
import { type ServicePortChainNames, servicePortChainNames, servicePortNameString } from "./names.ts";

/** Transport protocol of a Service port as rules spell it. */
export type Protocol = "tcp" | "udp" | "sctp";

/** What kube-proxy keeps of one port of one Service (pkg/proxy/serviceport.go: BaseServicePortInfo), IPv4 only. */
export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
  /** `namespace/name[:portName]`, as comments and hashes have it. */
  readonly nameString: string;
  readonly protocol: Protocol;
  readonly clusterIP: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  /** Load-balancer addresses that this node answers for itself (`ipMode` VIP). */
  readonly loadBalancerVIPs: readonly string[];
  readonly loadBalancerSourceRanges: readonly Ipv4Block[];
  /** 0: none. */
  readonly healthCheckNodePort: number;
  readonly sessionAffinity: "None" | "ClientIP";
  /** Seconds a client stays with its endpoint; 0 without affinity. */
  readonly stickyMaxAgeSeconds: number;
  readonly internalPolicyLocal: boolean;
  readonly externalPolicyLocal: boolean;
  readonly chains: ServicePortChainNames;
}

/** Whether anything but the cluster IP leads to the port. */
export function externallyAccessible(port: ServicePort): boolean {
  return port.nodePort !== 0 || port.loadBalancerVIPs.length > 0 || port.externalIPs.length > 0;
}

/**
 * Whether some traffic to the port goes by policy Cluster. An externally accessible port always needs these
 * endpoints: policy Local has short cuts to them for traffic from inside.
 */
export function usesClusterEndpoints(port: ServicePort): boolean {
  return !port.internalPolicyLocal || externallyAccessible(port);
}

/** Whether some traffic to the port goes by policy Local. */
export function usesLocalEndpoints(port: ServicePort): boolean {
  return port.internalPolicyLocal || (port.externalPolicyLocal && externallyAccessible(port));
}

/** Labels that keep an object from kube-proxy's informers (cmd/kube-proxy/app/server.go: Run). */
const UNWATCHED_LABELS = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];

/** Whether kube-proxy's informers show it the object with these labels. */
export function isWatched(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels === undefined || !UNWATCHED_LABELS.some((label) => labels[label] !== undefined);
}

function clusterIPv4(service: Service): string {
  const spec = service.spec ?? {};
  const families = spec.ipFamilies ?? [];
  if (families.length === 0) return spec.clusterIP ?? "";
  const index = families.indexOf("IPv4");
  return index < 0 ? "" : (spec.clusterIPs?.[index] ?? "");
}

function isExternalPolicyLocal(service: Service): boolean {
  const spec = service.spec ?? {};
  if (spec.externalTrafficPolicy !== "Local") return false;
  const type = spec.type ?? "ClusterIP";
  return (
    type === "LoadBalancer" ||
    type === "NodePort" ||
    (type === "ClusterIP" && (spec.externalIPs ?? []).length > 0)
  );
}

function loadBalancerVIPs(service: Service): readonly string[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return ingress
    .filter((one) => (one.ipMode ?? "VIP") === "VIP")
    .map((one) => canonicalIpv4(one.ip ?? ""))
    .filter((address) => address !== undefined);
}

function protocolOf(port: ApiServicePort): Protocol {
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  return protocol === "udp" || protocol === "sctp" ? protocol : "tcp";
}

/** 10800 is the API server's default of `sessionAffinityConfig.clientIP.timeoutSeconds`. */
function stickyMaxAgeSeconds(service: Service): number {
  if (service.spec?.sessionAffinity !== "ClientIP") return 0;
  return service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800;
}

/**
 * The ports of a Service that kube-proxy makes rules for: none for a headless or ExternalName Service, one
 * without an IPv4 cluster IP, or one that is another proxy's. A protocol that is left out is TCP, as the API
 * server makes it.
 */
export function servicePortsOf(service: Service): readonly ServicePort[] {
  const spec = service.spec ?? {};
  if (!isWatched(service.metadata?.labels) || spec.type === "ExternalName") return [];
  if ((spec.clusterIP ?? "") === "" || spec.clusterIP === "None") return [];
  const clusterIP = canonicalIpv4(clusterIPv4(service));
  if (clusterIP === undefined) return [];

  const namespace = service.metadata?.namespace ?? "default";
  const name = service.metadata?.name ?? "";
  const externalPolicyLocal = isExternalPolicyLocal(service);
  const needsHealthCheck = spec.type === "LoadBalancer" && externalPolicyLocal;
  const shared = {
    namespace,
    name,
    clusterIP,
    externalIPs: (spec.externalIPs ?? []).map(canonicalIpv4).filter((address) => address !== undefined),
    loadBalancerVIPs: loadBalancerVIPs(service),
    loadBalancerSourceRanges: ipv4Blocks((spec.loadBalancerSourceRanges ?? []).map((range) => range.trim())),
    healthCheckNodePort: needsHealthCheck ? (spec.healthCheckNodePort ?? 0) : 0,
    sessionAffinity: spec.sessionAffinity === "ClientIP" ? ("ClientIP" as const) : ("None" as const),
    stickyMaxAgeSeconds: stickyMaxAgeSeconds(service),
    internalPolicyLocal: spec.internalTrafficPolicy === "Local",
    externalPolicyLocal,
  };
  return (spec.ports ?? []).map((port) => {
    const portName = port.name ?? "";
    const protocol = protocolOf(port);
    const nameString = servicePortNameString(namespace, name, portName);
    return {
      ...shared,
      portName,
      nameString,
      protocol,
      port: port.port,
      nodePort: port.nodePort ?? 0,
      chains: servicePortChainNames(nameString, protocol),
    };
  });
}
