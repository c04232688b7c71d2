import fc from "fast-check";
import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import type { PartialKubeProxyConfiguration } from "../../../../src/cluster/kube-proxy/configuration.ts";

/** A random cluster, and where packets may want to go in it. */
export interface ArbitraryCluster {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly config: PartialKubeProxyConfiguration;
  readonly targets: Targets;
}

/** Addresses and ports at which a Service listens, and what else there is to aim at. */
export interface Targets {
  readonly frontends: readonly Frontend[];
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
}

export interface Frontend {
  readonly protocol: number;
  readonly dst: string;
  readonly dport: number;
}

/** A packet in words; whatever meets nothing is noise. */
export interface ArbitraryPacket {
  readonly protocol: number;
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  readonly in: "docker0" | "eth0" | null;
  readonly ctinfo: number | null;
  readonly mark: number;
  /** Seconds since the packet before. */
  readonly pause: number;
}

const policy = fc.constantFrom("Cluster", "Local");
const protocol = fc.constantFrom("TCP", "TCP", "UDP", "SCTP");
const EXTERNAL = ["198.51.100.7", "198.51.100.8"];
const INGRESS = ["203.0.113.10", "203.0.113.11"];
const NODE_ADDRESSES = ["10.1.96.232", "192.168.97.1", "127.0.0.1"];
const ENDPOINTS = Array.from({ length: 8 }, (_, i) => `192.168.${96 + (i % 2)}.${4 + i}`);
const CLIENTS = [...ENDPOINTS, ...NODE_ADDRESSES, "10.1.96.233", "203.0.113.9", "198.51.100.200", ...INGRESS];

const endpoint = fc
  .record({
    address: fc.constantFrom(...ENDPOINTS),
    ready: fc.integer({ min: 0, max: 3 }),
    serving: fc.boolean(),
    terminating: fc.integer({ min: 0, max: 3 }),
    zones: fc.subarray(["zone-a", "zone-b"]),
  })
  .map(({ address, ready, serving, terminating, zones }) => ({
    addresses: [address],
    nodeName: address.startsWith("192.168.97.") ? "node1" : "node2",
    conditions: { ready: ready > 0 && terminating > 0, serving, terminating: terminating === 0 },
    ...(zones.length === 0 ? {} : { hints: { forZones: zones.map((name) => ({ name })) } }),
  }));

const serviceWithSlice = fc.record({
  type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer"),
  ports: fc.uniqueArray(fc.record({ name: fc.constantFrom("http", "dns", ""), protocol }), {
    selector: (port) => port.name,
    minLength: 1,
  }),
  policies: fc.record({
    externalTrafficPolicy: policy,
    internalTrafficPolicy: policy,
    sessionAffinity: fc.constantFrom("None", "None", "ClientIP"),
    externalIPs: fc.subarray(EXTERNAL),
    loadBalancerSourceRanges: fc.subarray(["10.1.0.0/16", "198.51.100.0/24", "192.168.96.0/24"]),
  }),
  ingress: fc.subarray(INGRESS),
  endpoints: fc.uniqueArray(endpoint, { selector: (one) => one.addresses[0], maxLength: 6 }),
});

type ServiceWithSlice = typeof serviceWithSlice extends fc.Arbitrary<infer T> ? T : never;

/** Service number `i` of its cluster has its own cluster IP, ports and node ports. */
function toObjects({ type, ports, policies, ingress, endpoints }: ServiceWithSlice, i: number) {
  const metadata = { name: `s${i}`, namespace: "default" };
  const service: Service = {
    metadata,
    spec: {
      type,
      ...policies,
      clusterIP: `10.0.0.${10 + i}`,
      ports: ports.map((port, k) => ({
        ...port,
        port: 80 + ((i + k) % 4),
        ...(type === "ClusterIP" ? {} : { nodePort: 30000 + 4 * i + k }),
      })),
    },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  };
  const slice: EndpointSlice = {
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": `s${i}` } },
    addressType: "IPv4",
    endpoints,
    ports: ports.map((port) => ({ ...port, port: 8080 })),
  };
  return { service, slice };
}

const config: fc.Arbitrary<PartialKubeProxyConfiguration> = fc.record({
  clusterCIDR: fc.constantFrom("192.168.0.0/16", "192.168.0.0/16", ""),
  iptables: fc.record({ masqueradeAll: fc.boolean(), localhostNodePorts: fc.boolean() }),
  nodePortAddresses: fc.constantFrom<string[][]>([], [], ["10.1.96.0/24"]),
});

const NUMBERS: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

function frontendsOf({ spec }: Service): Frontend[] {
  return spec!.ports!.flatMap(({ port, nodePort, protocol: name }) => {
    const at = (dport: number) => (dst: string) => ({ protocol: NUMBERS[name!]!, dst, dport });
    return [
      ...[spec!.clusterIP!, ...spec!.externalIPs!, ...INGRESS].map(at(port)),
      ...(nodePort === undefined ? [] : NODE_ADDRESSES.map(at(nodePort))),
    ];
  });
}

export const arbitraryCluster: fc.Arbitrary<ArbitraryCluster> = fc
  .tuple(fc.array(serviceWithSlice, { minLength: 1, maxLength: 14 }), config)
  .map(([made, settings]) => {
    const objects = made.map(toObjects);
    const services = objects.map(({ service }) => service);
    const frontends = services.flatMap(frontendsOf);
    return {
      services,
      slices: objects.map(({ slice }) => slice),
      config: settings,
      targets: {
        frontends,
        addresses: [...frontends.map(({ dst }) => dst), ...NODE_ADDRESSES, ...ENDPOINTS, "8.8.8.8"],
        ports: [8080, 9, ...frontends.map(({ dport }) => dport)],
      },
    };
  });

/** Packets of which most are aimed at what there is, and the others at anything. */
export function arbitraryPackets(
  { frontends, addresses, ports }: Targets,
  count: number,
): fc.Arbitrary<ArbitraryPacket[]> {
  const anything = fc.record({
    protocol: fc.constantFrom(6, 6, 17, 132, 1),
    dst: fc.constantFrom(...addresses),
    dport: fc.constantFrom(...ports),
  });
  const packet = fc
    .record({
      target: fc.oneof(
        { arbitrary: fc.constantFrom(...frontends), weight: 3 },
        { arbitrary: anything, weight: 1 },
      ),
      src: fc.constantFrom(...CLIENTS),
      sport: fc.integer({ min: 1024, max: 65535 }),
      in: fc.constantFrom<ArbitraryPacket["in"][]>("docker0", "eth0", "eth0", null),
      ctinfo: fc.constantFrom(2, 2, 2, 2, 2, 2, 0, 3, null),
      mark: fc.constantFrom(0, 0, 0, 0x4000),
      pause: fc.constantFrom(0, 0, 1, 4000),
    })
    .map(({ target, ...rest }) => ({ ...target, ...rest }));
  return fc.array(packet, { minLength: count, maxLength: count });
}
