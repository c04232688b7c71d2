import type { Service } from "kubernetes-types/core/v1.js";
import { canonicalIpv4 } from "../ipv4.ts";
import { chainHash, servicePortNameString } from "../names.ts";
import type { Protocol } from "../service-port.ts";

/** What kube-proxy 1.7 keeps of one port of one Service (pkg/proxy/iptables/proxier.go: serviceInfo). */
export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
  /** `namespace/name[:portName]`. */
  readonly nameString: string;
  readonly protocol: Protocol;
  readonly clusterIP: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  /** As the Service has them: unmasked. */
  readonly loadBalancerSourceRanges: readonly string[];
  readonly clientIPAffinity: boolean;
  /** `externalTrafficPolicy: Local` of a NodePort or LoadBalancer Service. */
  readonly onlyNodeLocalEndpoints: boolean;
  readonly serviceChain: string;
  /** KUBE-XLB: local endpoints for traffic from outside. */
  readonly localChain: string;
  readonly firewallChain: string;
}

/** The ports of a Service that kube-proxy 1.7 makes rules for: none for a headless or ExternalName Service. */
export function servicePortsOf(service: Service): readonly ServicePort[] {
  const spec = service.spec ?? {};
  const clusterIP = canonicalIpv4(spec.clusterIP ?? "");
  if (clusterIP === undefined || spec.type === "ExternalName") return [];
  const { namespace = "default", name = "" } = service.metadata ?? {};
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return (spec.ports ?? []).map((port) => {
    const portName = port.name ?? "";
    const protocol = (port.protocol ?? "TCP").toLowerCase() as Protocol;
    const nameString = servicePortNameString(namespace, name, portName);
    const hash = chainHash(nameString + protocol);
    return {
      namespace,
      name,
      portName,
      nameString,
      protocol,
      clusterIP,
      port: port.port,
      nodePort: port.nodePort ?? 0,
      externalIPs: spec.externalIPs ?? [],
      loadBalancerIPs: ingress.map((one) => one.ip ?? "").filter((ip) => ip !== ""),
      loadBalancerSourceRanges: spec.loadBalancerSourceRanges ?? [],
      clientIPAffinity: spec.sessionAffinity === "ClientIP",
      onlyNodeLocalEndpoints:
        (spec.type === "NodePort" || spec.type === "LoadBalancer") && spec.externalTrafficPolicy === "Local",
      serviceChain: `KUBE-SVC-${hash}`,
      localChain: `KUBE-XLB-${hash}`,
      firewallChain: `KUBE-FW-${hash}`,
    };
  });
}
