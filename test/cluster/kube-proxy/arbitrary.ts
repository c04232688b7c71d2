import fc from "fast-check";
import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";

const policy = fc.constantFrom("Cluster", "Local");
const protocol = fc.constantFrom("TCP", "UDP", "SCTP");
export const zone = fc.constantFrom("zone-a", "zone-b");
const name = fc.constantFrom("a", "b", "c", "d");
export const node = fc.constantFrom("node1", "node2", "node3");

const service: fc.Arbitrary<Service> = fc
  .record({
    name,
    namespace: fc.constantFrom("default", "other"),
    type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer"),
    octet: fc.integer({ min: 1, max: 254 }),
    ports: fc.uniqueArray(fc.record({ name: fc.constantFrom("http", "dns", ""), protocol }), {
      selector: (port) => port.name,
      minLength: 1,
    }),
    externalTrafficPolicy: policy,
    internalTrafficPolicy: policy,
    sessionAffinity: fc.constantFrom("None", "ClientIP"),
    externalIPs: fc.subarray(["198.51.100.7", "198.51.100.8"]),
    loadBalancerSourceRanges: fc.subarray(["10.1.0.0/16", "198.51.100.0/24"]),
    ingress: fc.subarray(["203.0.113.10", "203.0.113.11"]),
  })
  .map(({ name, namespace, octet, ports, ingress, ...spec }) => ({
    metadata: { name, namespace },
    spec: {
      ...spec,
      clusterIP: `10.0.0.${octet}`,
      ports: ports.map((port, i) => ({
        ...port,
        port: 80 + i,
        ...(spec.type === "ClusterIP" ? {} : { nodePort: 30080 + i }),
      })),
    },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  }));

const endpoint = fc
  .record({
    octet: fc.integer({ min: 1, max: 9 }),
    node,
    ready: fc.boolean(),
    serving: fc.boolean(),
    terminating: fc.boolean(),
    zones: fc.uniqueArray(zone),
  })
  .map(({ octet, node, ready, serving, terminating, zones }) => ({
    addresses: [`192.168.96.${octet}`],
    nodeName: node,
    conditions: { ready: ready && !terminating, serving, terminating },
    hints: { forZones: zones.map((name) => ({ name })) },
  }));

const endpointSlice: fc.Arbitrary<EndpointSlice> = fc
  .record({
    service: name,
    namespace: fc.constantFrom("default", "other"),
    index: fc.integer({ min: 0, max: 2 }),
    endpoints: fc.array(endpoint, { maxLength: 6 }),
    ports: fc.array(
      fc.record({ name: fc.constantFrom("http", "dns", ""), protocol, port: fc.constantFrom(8080, 53) }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ service, namespace, index, endpoints, ports }) => ({
    metadata: { name: `${service}-${index}`, namespace, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    endpoints,
    ports,
  }));

/** Services and EndpointSlices that fit each other now and then. */
export const cluster = fc.record({
  services: fc.uniqueArray(service, {
    selector: (one) => `${one.metadata?.namespace}/${one.metadata?.name}`,
    maxLength: 6,
  }),
  endpointSlices: fc.uniqueArray(endpointSlice, {
    selector: (one) => `${one.metadata?.namespace}/${one.metadata?.name}`,
    maxLength: 8,
  }),
});
