import type { Service, ServiceSpec, ServiceStatus } from "kubernetes-types/core/v1.js";
import type { Endpoint, EndpointSlice } from "kubernetes-types/discovery/v1.js";
import {
  completeKubeProxyConfiguration,
  type PartialKubeProxyConfiguration,
} from "../../../src/cluster/kube-proxy/configuration.ts";
import type { ProxyNode } from "../../../src/cluster/kube-proxy/node.ts";
import { generateRestore } from "../../../src/cluster/kube-proxy/restore.ts";

export const NODE: ProxyNode = {
  name: "node1",
  labels: { "topology.kubernetes.io/zone": "zone-a" },
  nodeIP: "10.1.96.232",
  podCIDRs: ["192.168.97.0/24"],
  interfaceAddresses: ["127.0.0.1", "10.1.96.232", "192.168.97.1"],
  conntrackTcpBeLiberal: false,
  nfacct: true,
  randomFully: true,
};

/** Service `default/web`, TCP port 80 at 10.0.0.10, unless told otherwise. */
export function service(spec: Partial<ServiceSpec> = {}, status: ServiceStatus = {}): Service {
  return {
    metadata: { name: "web", namespace: "default" },
    spec: { type: "ClusterIP", clusterIP: "10.0.0.10", ports: [{ port: 80, protocol: "TCP" }], ...spec },
    status,
  };
}

export function nodePort(spec: Partial<ServiceSpec> = {}): Service {
  return service({ type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }], ...spec });
}

export function loadBalancer(spec: Partial<ServiceSpec> = {}): Service {
  return service(
    { type: "LoadBalancer", ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }], ...spec },
    { loadBalancer: { ingress: [{ ip: "203.0.113.10" }] } },
  );
}

/** An endpoint in words: `192.168.97.3` with any of `local`, `unready`, `terminating`, `unserving`, `zone=a,b`. */
export function endpoint(text: string): Endpoint {
  const [address = "", ...words] = text.split(" ");
  const terminating = words.includes("terminating");
  const zones = words
    .find((word) => word.startsWith("zone="))
    ?.slice(5)
    .split(",");
  return {
    addresses: [address],
    nodeName: words.includes("local") ? "node1" : "node2",
    conditions: {
      ready: !terminating && !words.includes("unready"),
      serving: !words.includes("unready") && !words.includes("unserving"),
      terminating,
    },
    ...(zones === undefined ? {} : { hints: { forZones: zones.map((name) => ({ name })) } }),
  };
}

/** The slice of `default/web` with these endpoints at port 8080. */
export function slice(
  endpoints: readonly (string | Endpoint)[],
  over: Partial<EndpointSlice> = {},
): EndpointSlice {
  return {
    metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: endpoints.map((one) => (typeof one === "string" ? endpoint(one) : one)),
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
    ...over,
  };
}

/** The lines of the restore, chain lines and rules. */
export function rulesOf(
  services: readonly Service[],
  endpointSlices: readonly EndpointSlice[],
  config: PartialKubeProxyConfiguration = {},
  node: Partial<ProxyNode> = {},
): readonly string[] {
  const complete = completeKubeProxyConfiguration({ clusterCIDR: "192.168.0.0/16", ...config });
  const text = generateRestore({ services, endpointSlices, node: { ...NODE, ...node }, config: complete });
  return text.split("\n");
}

/** The `ip:port`s that a policy chain (KUBE-SVC, KUBE-SVL) spreads over, in order. */
export function backends(rules: readonly string[], prefix: string): readonly string[] {
  return rules
    .filter((rule) => rule.startsWith(`-A ${prefix}-`) && rule.includes(" -> ") && !rule.includes("--rcheck"))
    .map((rule) => / -> ([^"]+)"/.exec(rule)?.[1] ?? "");
}
