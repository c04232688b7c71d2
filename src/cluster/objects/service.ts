/** Service (v1): every field kube-proxy reads, and the API server's defaults. */
import type { Service, ServicePort, ServiceSpec } from "kubernetes-types/core/v1.js";
import { z } from "zod";
import { isAddress, isIPv6 } from "./address.ts";
import {
  anyAddress,
  anyBlock,
  dnsLabel,
  dnsLabelOrEmpty,
  integer,
  metadata,
  oneOf,
  port,
  portOrName,
  protocol,
  show,
  stringMap,
} from "./field.ts";
import type { FieldFault, Path } from "./validate.ts";

const servicePort = z.looseObject({
  name: dnsLabelOrEmpty().optional(),
  port: port(),
  protocol: protocol().optional(),
  targetPort: portOrName().optional(),
  nodePort: integer(1, 65535).optional(),
  appProtocol: z.string().optional(),
});

const clusterIP = z
  .string()
  .refine((text) => text === "" || text === "None" || isAddress(text) || isIPv6(text), {
    error: ({ input }) => `${show(input)} is not an IPv4 address or None`,
  });

const spec = z.looseObject({
  type: oneOf(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).optional(),
  clusterIP: clusterIP.optional(),
  clusterIPs: z.array(clusterIP).optional(),
  selector: stringMap().optional(),
  ports: z.array(servicePort).optional(),
  externalIPs: z.array(anyAddress()).optional(),
  externalName: z.string().optional(),
  sessionAffinity: oneOf(["None", "ClientIP"]).optional(),
  sessionAffinityConfig: z
    .looseObject({ clientIP: z.looseObject({ timeoutSeconds: integer(1, 86400).optional() }).optional() })
    .optional(),
  externalTrafficPolicy: oneOf(["Cluster", "Local"]).optional(),
  internalTrafficPolicy: oneOf(["Cluster", "Local"]).optional(),
  healthCheckNodePort: integer(0, 65535).optional(),
  allocateLoadBalancerNodePorts: z.boolean().optional(),
  publishNotReadyAddresses: z.boolean().optional(),
  loadBalancerSourceRanges: z.array(anyBlock()).optional(),
  loadBalancerIP: z.string().optional(),
  trafficDistribution: z.string().optional(),
});

const ingress = z.looseObject({
  ip: anyAddress().optional(),
  hostname: z.string().optional(),
  ipMode: oneOf(["VIP", "Proxy"]).optional(),
});

export const serviceSchema = z.looseObject({
  metadata: metadata(dnsLabel()),
  spec,
  status: z
    .looseObject({ loadBalancer: z.looseObject({ ingress: z.array(ingress).optional() }).optional() })
    .optional(),
});

/** What does not fit together in a Service whose fields are right one by one (`validation.ValidateService`). */
export function serviceFaults(service: Service): FieldFault[] {
  const { ports = [], type, clusterIP, externalName } = service.spec ?? {};
  const faults: FieldFault[] = [];
  const fault = (path: Path, text: string) => faults.push({ path: ["spec", ...path], text });
  if (type === "ExternalName" && !externalName) fault(["externalName"], "is missing");
  if (ports.length === 0 && type !== "ExternalName" && clusterIP !== "None") fault(["ports"], "is missing");
  if (clusterIP === "None" && (type === "NodePort" || type === "LoadBalancer"))
    fault(["clusterIP"], `a Service of type ${type} needs an address`);
  const names = new Map<string, number>();
  const numbers = new Map<string, number>();
  for (const [i, { name: written, port, protocol = "TCP" }] of ports.entries()) {
    const name = written === "" ? undefined : written;
    if (name === undefined && ports.length > 1)
      fault(["ports", i, "name"], "is missing: a Service of several ports names each");
    const sameName = name === undefined ? undefined : names.get(name);
    if (sameName !== undefined)
      fault(["ports", i, "name"], `"${name}" is the name of spec.ports[${sameName}] already`);
    const number = `${port}/${protocol}`;
    const sameNumber = numbers.get(number);
    if (sameNumber !== undefined)
      fault(["ports", i, "port"], `${number} is spec.ports[${sameNumber}] already`);
    if (name !== undefined) names.set(name, i);
    numbers.set(number, i);
  }
  return faults;
}

/** `v1.DefaultClientIPServiceAffinitySeconds`. */
const CLIENT_IP_AFFINITY_SECONDS = 10800;

/** True when the Service has no virtual IP by its own wish. */
export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === "None";
}

/** True for a Service that is a name only (`type: ExternalName`). */
export function isExternalName(service: Service): boolean {
  return service.spec?.type === "ExternalName";
}

/** True when ports of the node lead to the Service, unless a load balancer's Service asks for none. */
export function takesNodePorts(service: Service): boolean {
  const { type, allocateLoadBalancerNodePorts } = service.spec ?? {};
  return type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
}

/** True when the Service asks for a health-check node port (`service.NeedsHealthCheck`). */
export function needsHealthCheck(service: Service): boolean {
  return service.spec?.type === "LoadBalancer" && service.spec.externalTrafficPolicy === "Local";
}

/**
 * The Service with the API server's defaults (`pkg/apis/core/v1/defaults.go: SetDefaults_Service`, and the single-stack
 * IPv4 fields of `pkg/registry/core/service/storage`). Addresses and node ports are allocated elsewhere.
 */
export function defaultService(service: Service): Service {
  const spec: ServiceSpec = { ...service.spec };
  spec.type ??= "ClusterIP";
  spec.clusterIP ??= spec.clusterIPs?.[0] ?? "";
  if (spec.clusterIP === "") delete spec.clusterIP;
  spec.ports = (spec.ports ?? []).map(defaultPort);
  defaultAffinity(spec);
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ??= "Cluster";
  if (spec.type !== "ExternalName") {
    spec.internalTrafficPolicy ??= "Cluster";
    spec.ipFamilyPolicy ??= "SingleStack";
    spec.ipFamilies ??= ["IPv4"];
  }
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  return { ...service, apiVersion: "v1", kind: "Service", spec, ...defaultStatus(service) };
}

function defaultPort(port: ServicePort): ServicePort {
  const { targetPort } = port;
  const absent = targetPort === undefined || targetPort === 0 || targetPort === "";
  return { ...port, protocol: port.protocol ?? "TCP", targetPort: absent ? port.port : targetPort };
}

function defaultAffinity(spec: ServiceSpec): void {
  spec.sessionAffinity ??= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: CLIENT_IP_AFFINITY_SECONDS } };
}

/** `pkg/api/v1/service/util.go: ExternallyAccessible`. */
function isExternallyAccessible(spec: ServiceSpec): boolean {
  if (spec.type === "LoadBalancer" || spec.type === "NodePort") return true;
  return spec.type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0;
}

function defaultStatus(service: Service): Pick<Service, "status"> {
  const { ingress } = service.status?.loadBalancer ?? {};
  if (service.spec?.type !== "LoadBalancer" || ingress === undefined) return {};
  const withMode = ingress.map((one) =>
    one.ip === undefined ? one : { ...one, ipMode: one.ipMode ?? "VIP" },
  );
  return {
    status: { ...service.status, loadBalancer: { ...service.status?.loadBalancer, ingress: withMode } },
  };
}
