import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../../../src/cluster/build/network.ts";
import type { ProxyMode } from "../../../../src/cluster/objects/kube-proxy-configuration.ts";
import { parseIpv4 } from "../../../../src/packet/address.ts";
import type { Packet } from "../../../../src/packet/packet.ts";
import { loadTopology } from "../../../../src/topology/load/load.ts";

/** A Service of the property: who stands behind it, on which node and how ready, and its policies. */
interface RandomService {
  readonly endpoints: readonly { readonly node: 1 | 2; readonly ready: boolean }[];
  readonly nodePort: boolean;
  readonly externalLocal: boolean;
  readonly internalLocal: boolean;
  readonly affinity: boolean;
}

const arbitraryService: fc.Arbitrary<RandomService> = fc.record({
  endpoints: fc.array(fc.record({ node: fc.constantFrom(1 as const, 2 as const), ready: fc.boolean() }), {
    maxLength: 3,
  }),
  nodePort: fc.boolean(),
  externalLocal: fc.boolean(),
  internalLocal: fc.boolean(),
  affinity: fc.boolean(),
});

const clusterIP = (i: number): string => `10.96.0.${100 + i}`;
const nodePort = (i: number): number => 30100 + i;

function topology(services: readonly RandomService[], mode: ProxyMode): string {
  const pod = (name: string, node: number, app: string, ready: boolean): object => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app } },
    spec: {
      nodeName: `node-${node}`,
      containers: [{ name: "main", ports: [{ containerPort: 8080, protocol: "UDP" }] }],
    },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  });
  const items = [
    {
      apiVersion: "podpath.dev/v1alpha1",
      kind: "Cluster",
      metadata: { name: "modes" },
      spec: {
        serviceCIDR: "10.96.0.0/16",
        flannel: { Network: "10.244.0.0/16", Backend: { Type: "host-gw" } },
        // kube-proxy's masquerading alone is to be seen
        node: { docker: { hairpin: true, ipMasq: false } },
      },
    },
    {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode,
      clusterCIDR: "10.244.0.0/16",
    },
    {
      apiVersion: "podpath.dev/v1alpha1",
      kind: "Host",
      metadata: { name: "outside" },
      spec: { address: "10.1.96.9/24", gateway: "10.1.96.254" },
    },
    ...[1, 2].map((n) => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: `node-${n}` },
      spec: { podCIDR: `10.244.${n}.0/24` },
      status: { addresses: [{ type: "InternalIP", address: `10.1.96.${n}` }] },
    })),
    pod("client-1", 1, "client", true),
    pod("client-2", 2, "client", true),
    ...services.flatMap(({ endpoints }, i) =>
      endpoints.map(({ node, ready }, j) => pod(`web-${i}-${j}`, node, `web-${i}`, ready)),
    ),
    ...services.map(({ nodePort: has, externalLocal, internalLocal, affinity }, i) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `web-${i}` },
      spec: {
        type: has ? "NodePort" : "ClusterIP",
        clusterIP: clusterIP(i),
        selector: { app: `web-${i}` },
        ports: [{ port: 80, targetPort: 8080, protocol: "UDP", ...(has ? { nodePort: nodePort(i) } : {}) }],
        ...(has && externalLocal ? { externalTrafficPolicy: "Local" } : {}),
        ...(internalLocal ? { internalTrafficPolicy: "Local" } : {}),
        ...(affinity ? { sessionAffinity: "ClientIP" } : {}),
      },
    })),
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function build(services: readonly RandomService[], mode: ProxyMode): SimulatedCluster {
  const { model } = loadTopology([{ file: mode, text: topology(services, mode) }]);
  const cluster = buildNetwork(model, { seed: 1 });
  for (const netns of cluster.network.namespaces.values())
    for (const listener of netns.sockets.listeners) listener.respondBytes = 0;
  return cluster;
}

/** Enough that an endpoint of three is hardly missed: (2/3)^50. */
const PACKETS = 50;

/** Where packets from a namespace to an address arrive, each with whether its source was changed. */
function reached(cluster: SimulatedCluster, from: string, destination: string, port: number): string[] {
  const { network } = cluster;
  const netns = network.netns(from);
  const own = new Set([...netns.devices.values()].flatMap((dev) => dev.addresses.map(({ local }) => local)));
  const found = new Set<string>();
  network.recorder = {
    record(event) {
      if (event.type !== "deliver") return;
      const packet: Packet = event.packet;
      if (packet.protocol === 17 && packet.dport === 8080)
        found.add(`${event.netns} ${own.has(packet.src) ? "as itself" : "masqueraded"}`);
    },
  };
  for (let i = 0; i < PACKETS; i++) {
    netns.sockets.udp.send({
      destination: parseIpv4(destination),
      destinationPort: port,
      sourcePort: 20000 + i,
      payloadLength: 8,
    });
    network.settle(5_000_000);
  }
  network.recorder = null;
  // the next target's flows may have the same tuples
  for (const one of network.namespaces.values()) {
    one.netfilter.conntrack?.flush();
    one.ipvs?.connections.clear();
  }
  return [...found].sort();
}

const isLocal = (service: RandomService, node: number): boolean =>
  service.endpoints.some((endpoint) => endpoint.node === node && endpoint.ready);

describe("the modes of kube-proxy", () => {
  it.each(["iptables", "nftables", "ipvs"] as const)(
    "spread connections, and masquerade those from outside: %s",
    (mode) => {
      const endpoints = [1, 2].map((node) => ({ node: node as 1 | 2, ready: true }));
      const cluster = build(
        [{ endpoints, nodePort: true, externalLocal: false, internalLocal: false, affinity: false }],
        mode,
      );
      const everywhere = ["node-1/default/web-0-0", "node-2/default/web-0-1"];
      expect(reached(cluster, "node-1/default/client-1", clusterIP(0), 80)).toEqual(
        everywhere.map((one) => `${one} as itself`),
      );
      expect(reached(cluster, "outside", "10.1.96.2", nodePort(0))).toEqual(
        everywhere.map((one) => `${one} masqueraded`),
      );
      expect(reached(cluster, "node-1/default/web-0-0", clusterIP(0), 80)).toEqual([
        "node-1/default/web-0-0 masqueraded",
        "node-2/default/web-0-1 as itself",
      ]);
    },
  );

  it("reach the same endpoints, masqueraded or not, from pods, nodes and outside: nftables as iptables", () => {
    fc.assert(
      fc.property(fc.array(arbitraryService, { minLength: 1, maxLength: 2 }), (services) => {
        const iptables = build(services, "iptables");
        const nftables = build(services, "nftables");
        // who sticks to an endpoint is a matter of chance, and chance is not the same in both
        for (const [i, service] of services.entries()) {
          if (service.affinity) continue;
          for (const from of ["node-1/default/client-1", "node-2/default/client-2", "node-1", "outside"]) {
            const targets: [string, number][] = from === "outside" ? [] : [[clusterIP(i), 80]];
            if (service.nodePort) targets.push(["10.1.96.1", nodePort(i)], ["10.1.96.2", nodePort(i)]);
            for (const [address, port] of targets)
              expect([from, address, ...reached(nftables, from, address, port)]).toEqual([
                from,
                address,
                ...reached(iptables, from, address, port),
              ]);
          }
        }
      }),
      { numRuns: 25, seed: 7 },
    );
  });

  it("reach the same endpoints, masqueraded or not: ipvs as iptables, where a policy Local leaves some endpoint", () => {
    fc.assert(
      fc.property(fc.array(arbitraryService, { minLength: 1, maxLength: 2 }), (services) => {
        const iptables = build(services, "iptables");
        const ipvs = build(services, "ipvs");
        for (const [i, service] of services.entries()) {
          if (service.affinity) continue;
          const check = (from: string, address: string, port: number): void =>
            expect([from, address, ...reached(ipvs, from, address, port)]).toEqual([
              from,
              address,
              ...reached(iptables, from, address, port),
            ]);
          for (const node of [1, 2]) {
            if (!service.internalLocal || isLocal(service, node))
              check(`node-${node}/default/client-${node}`, clusterIP(i), 80);
            if (service.nodePort && (!service.externalLocal || isLocal(service, node)))
              check("outside", `10.1.96.${node}`, nodePort(i));
          }
        }
      }),
      { numRuns: 25, seed: 7 },
    );
  });

  it.each(["iptables", "nftables", "ipvs"] as const)(
    "keep a client at its endpoint under affinity: %s",
    (mode) => {
      const endpoints = [1, 2, 1].map((node) => ({ node: node as 1 | 2, ready: true }));
      const cluster = build(
        [{ endpoints, nodePort: true, externalLocal: false, internalLocal: false, affinity: true }],
        mode,
      );
      expect(reached(cluster, "node-1/default/client-1", clusterIP(0), 80)).toHaveLength(1);
      expect(reached(cluster, "outside", "10.1.96.2", nodePort(0))).toHaveLength(1);
    },
  );

  it.each(["iptables", "nftables", "ipvs"] as const)("refuse a Service without endpoints: %s", (mode) => {
    const cluster = build(
      [{ endpoints: [], nodePort: true, externalLocal: false, internalLocal: false, affinity: false }],
      mode,
    );
    const errors: string[] = [];
    cluster.network.recorder = {
      record(event) {
        if (event.type === "origin" && event.kind === "icmp-error")
          errors.push(`${event.netns} ${event.packet.icmpType}/${event.packet.icmpCode}`);
      },
    };
    for (const [from, address, port] of [
      ["node-1/default/client-1", clusterIP(0), 80],
      ["outside", "10.1.96.1", nodePort(0)],
    ] as const) {
      cluster.network.netns(from).sockets.udp.send({
        destination: parseIpv4(address),
        destinationPort: port,
        sourcePort: 20000,
        payloadLength: 8,
      });
      cluster.network.settle();
    }
    expect(errors).toEqual(["node-1 3/3", "node-1 3/3"]);
    expect(reached(cluster, "outside", "10.1.96.1", nodePort(0))).toEqual([]);
  });
});
