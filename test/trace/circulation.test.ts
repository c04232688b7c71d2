import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { send } from "../../src/trace/send.ts";
import { clusterOf } from "./cluster.ts";

const HOSTS = 4;
const address = (host: number): string => `10.0.0.${10 + host}`;
const NODES = ["10.0.0.1", "10.0.0.2"];

/** Blocks that nobody owns, that flannel owns, and the default: routes to them may lead round in a circle. */
const blocks = [
  "172.16.0.0/12",
  "172.16.0.0/24",
  "10.244.0.0/16",
  "10.244.2.0/24",
  "10.96.0.0/16",
  "0.0.0.0/0",
];

const anyHost = fc.record({
  forward: fc.constantFrom(true, true, true, false),
  rpFilter: fc.constantFrom(0, 0, 0, 1, 2),
  routes: fc.uniqueArray(
    fc.record({
      to: fc.constantFrom(...blocks),
      via: fc.constantFrom(...[0, 1, 2, 3].map(address), ...NODES),
    }),
    { minLength: 2, maxLength: 5, selector: ({ to }) => to },
  ),
});

const anyCluster = fc.record({
  backend: fc.constantFrom("udp", "vxlan", "host-gw"),
  ipMasq: fc.boolean(),
  hairpin: fc.boolean(),
  forward: fc.constantFrom(1, 1, 0),
  bridgeNf: fc.constantFrom(0, 1),
  gateways: fc.tuple(...NODES.map(() => fc.constantFrom(...[0, 1, 2, 3].map(address), ...NODES))),
  hosts: fc.array(anyHost, { minLength: HOSTS, maxLength: HOSTS }),
});

type AnyCluster = typeof anyCluster extends fc.Arbitrary<infer T> ? T : never;

/** Two nodes with a pod each and four hosts, whose routes point at one another as chance has it. */
function topologyOf({ backend, ipMasq, hairpin, forward, bridgeNf, gateways, hosts }: AnyCluster): string {
  const documents: object[] = [
    {
      apiVersion: "podpath.dev/v1alpha1",
      kind: "Cluster",
      metadata: { name: "any" },
      spec: {
        serviceCIDR: "10.96.0.0/16",
        flannel: { Network: "10.244.0.0/16", SubnetLen: 24, Backend: { Type: backend } },
        node: {
          docker: { ipMasq, hairpin },
          sysctl: { "net.ipv4.ip_forward": forward, "net.bridge.bridge-nf-call-iptables": bridgeNf },
        },
        nodes: Object.fromEntries(
          NODES.map((own, i) => [`node${i}`, own === gateways[i] ? {} : { gateway: gateways[i] }]),
        ),
      },
    },
    ...hosts.map((host, i) => ({
      apiVersion: "podpath.dev/v1alpha1",
      kind: "Host",
      metadata: { name: `host${i}` },
      spec: {
        address: `${address(i)}/24`,
        routes: host.routes.filter(({ via }) => via !== address(i)),
        sysctl: { "net.ipv4.ip_forward": Number(host.forward), "net.ipv4.conf.all.rp_filter": host.rpFilter },
      },
    })),
    ...NODES.flatMap((ip, i) => [
      {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name: `node${i}` },
        spec: { podCIDR: `10.244.${i + 1}.0/24` },
        status: { addresses: [{ type: "InternalIP", address: ip }] },
      },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `pod${i}`, labels: { app: "web" } },
        spec: {
          nodeName: `node${i}`,
          containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }],
        },
      },
    ]),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80, nodePort: 30080 }] },
    },
  ];
  return documents.map((one) => JSON.stringify(one)).join("\n---\n");
}

const anyRequest = fc.record({
  from: fc.constantFrom("pod/pod0", "pod/pod1", "node/node0", "host/host0", "host/host1"),
  to: fc.constantFrom(
    "svc/web:80",
    "pod/pod1:80",
    "node/node1:30080",
    "172.16.0.9:80",
    "10.244.9.9:80",
    "8.8.8.8:53",
  ),
  protocol: fc.constantFrom("tcp", "udp"),
  ttl: fc.constantFrom(4, 64, 64, 255),
});

/** Each hop takes one from the TTL and crosses few devices; ARP floods reach every NIC and port. */
const MOST_CROSSINGS_PER_HOP = 40;

describe("no packet circulates for ever", () => {
  it("whatever routes, back end and settings a topology has", () => {
    fc.assert(
      fc.property(anyCluster, anyRequest, (cluster, { protocol, ...request }) => {
        const trace = send(clusterOf(topologyOf(cluster)), { ...request, protocol: protocol as "tcp" });
        expect(trace.path.length).toBeLessThan(request.ttl * MOST_CROSSINGS_PER_HOP);
      }),
      { numRuns: 200, seed: 11 },
    );
  }, 120_000);

  it("two routers that point at each other hand a packet to and fro until its TTL is spent", () => {
    const router = (via: string) => ({
      forward: true,
      rpFilter: 0 as const,
      routes: [{ to: "172.16.0.0/12", via }],
    });
    const sender = { ...router(address(0)), forward: false };
    const text = topologyOf({
      backend: "udp",
      ipMasq: true,
      hairpin: false,
      forward: 1,
      bridgeNf: 1,
      gateways: [address(0), address(0)],
      hosts: [router(address(1)), router(address(0)), sender, sender],
    });
    const trace = send(clusterOf(text), { from: "host/host2", to: "172.16.0.9:80" });
    // the sender is not told: the redirect that the first hop sent it has used up what errors may cost
    expect(trace).toMatchObject({ verdict: "dropped", reason: "IP_INHDR", icmp: null });
    expect(trace.path).toHaveLength(2 * trace.request.ttl);
  });
});
