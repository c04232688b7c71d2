import { describe, expect, it } from "vitest";
import { generateTopology } from "../../../src/analysis/generate/generate.ts";
import { type BACKENDS, DEFAULT_PLAN } from "../../../src/analysis/generate/plan.ts";
import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import type { ClusterModel, PodModel } from "../../../src/cluster/objects/model.ts";
import { SeededChooser } from "../../../src/linux/chooser.ts";
import { addAddress } from "../../../src/linux/ip/address.ts";
import { broadcastOf, formatIpv4 } from "../../../src/packet/address.ts";
import { EXPORT_FORMATS, exportNode } from "../../../src/topology/export/export.ts";
import type { TraceRequest } from "../../../src/trace/request.ts";
import { send } from "../../../src/trace/send.ts";
import { clusterYaml, modelOf } from "./fixture.ts";

/** Eight nodes, forty pods, Services of every policy, a host on the nodes' segment. */
function generated(backend: (typeof BACKENDS)[number], mode = "iptables"): ClusterModel {
  const plan = {
    ...DEFAULT_PLAN,
    nodes: 8,
    pods: 40,
    services: 12,
    nodePorts: 0.4,
    localPolicy: 0.5,
    backend,
  };
  return modelOf(
    `${[...generateTopology(plan)].join("")}---\n{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: ${mode}}\n`,
  );
}

const podText = ({ namespace, name }: PodModel): string => `pod/${namespace}/${name}`;

const awake = ({ network }: SimulatedCluster): number => [...network.namespaces.awake()].length;

/** Packets from all over to all over, in an order that a seed decides. */
function requestsOf({ pods, nodes, services, hosts }: ClusterModel, count: number): TraceRequest[] {
  const chooser = new SeededChooser(5);
  const any = <T>(all: readonly T[]): T => all[chooser.pick(all.length)]!;
  const source = (): string =>
    chooser.pick(4) > 0
      ? podText(any(pods))
      : any([...nodes.map(({ name }) => `node/${name}`), ...hosts.map(({ name }) => `host/${name}`)]);
  const target = (): string => {
    const { metadata, spec } = any(services);
    const { port, nodePort } = spec!.ports![0]!;
    if (chooser.pick(3) > 0) return `svc/${metadata!.namespace ?? "default"}/${metadata!.name}:${port}`;
    return nodePort === undefined ? `${any(pods).ip}:8080` : `${any(nodes).internalIP}:${nodePort}`;
  };
  return Array.from({ length: count }, () => ({ from: source(), to: target() }));
}

/** What a trace tells, without the ARP, which bystanders hear or not, and the numbers and times that come of it. */
function told(cluster: SimulatedCluster, request: TraceRequest): unknown {
  const trace = send(cluster, request);
  const events = trace.events.filter(({ of }) => !of.startsWith("arp"));
  return JSON.parse(
    JSON.stringify({ ...trace, events }).replaceAll(/"(serial|cause|outer|time_us)":\d+/g, '"$1":0'),
  );
}

describe("a cluster whose nodes are made on demand", () => {
  it.each([
    ["udp", "iptables"],
    ["vxlan", "iptables"],
    ["host-gw", "iptables"],
    ["vxlan", "ipvs"],
    ["vxlan", "nftables"],
  ] as const)(
    "does with packets what one does that is made at once, over %s, in %s mode",
    (backend, mode) => {
      const model = generated(backend, mode);
      const [whole, lazy] = [false, true].map((onDemand) => buildNetwork(model, { seed: 3, onDemand }));
      for (const request of requestsOf(model, 60))
        expect(told(lazy!, request), JSON.stringify(request)).toEqual(told(whole!, request));
      for (const { name } of model.nodes)
        for (const format of EXPORT_FORMATS)
          expect(lined(exportNode(lazy!, name, format)), `${format} of ${name}`).toEqual(
            lined(exportNode(whole!, name, format)),
          );
    },
  );

  it("makes no node that nobody has spoken to", () => {
    const model = generated("vxlan");
    const cluster = buildNetwork(model, { onDemand: true });
    const before = awake(cluster);
    expect(before).toBeLessThan(3 + 40 / 4);
    const [first] = model.nodes;
    const near = model.pods.filter(({ nodeName }) => nodeName === first!.name);
    send(cluster, { from: podText(near[0]!), to: podText(near[1]!), protocol: "icmp" });
    expect(awake(cluster)).toBe(before);
    const far = model.pods.find(({ nodeName }) => nodeName === model.nodes[5]!.name)!;
    expect(send(cluster, { from: podText(near[0]!), to: podText(far), protocol: "icmp" }).verdict).toBe(
      "delivered",
    );
    expect(awake(cluster)).toBe(
      before + 1 + model.pods.filter(({ nodeName }) => nodeName === far.nodeName).length,
    );
  });

  it("knows of all namespaces, and makes those that are asked for", () => {
    const model = generated("udp");
    const cluster = buildNetwork(model, { onDemand: true });
    const names = [...cluster.network.namespaces.keys()];
    expect(names).toHaveLength(8 + 40 + 2);
    expect(cluster.network.namespaces.size).toBe(names.length);
    expect(cluster.network.namespaces.has("node-00007/default/none")).toBe(false);
    const last = model.pods.at(-1)!;
    expect(cluster.pod(last.namespace, last.name)?.netns.name).toBe(
      `${last.nodeName}/${last.namespace}/${last.name}`,
    );
    expect(cluster.pod("default", "nobody")).toBeNull();
    expect([...cluster.pods()]).toHaveLength(40);
    expect(awake(cluster)).toBe(names.length);
  });

  it("asks a node for an address that it got by hand", () => {
    const model = generated("vxlan");
    const cluster = buildNetwork(model, { onDemand: true });
    const [asking, asked] = [model.nodes[1]!, model.nodes[6]!].map(({ name }) => cluster.node(name));
    const { local, prefixLength } = asked!.nic.addresses[0]!;
    const address = broadcastOf(local, prefixLength) - 3;
    const ping: TraceRequest = {
      from: `node/${asking!.model.name}`,
      to: formatIpv4(address),
      protocol: "icmp",
    };
    expect(send(cluster, ping).verdict).toBe("unreachable");
    addAddress(asked!.nic, { local: address, prefixLength });
    cluster.network.advance(60_000_000);
    expect(send(cluster, ping).verdict).toBe("delivered");
  });

  it("wakes everybody who is spoken to as one of all", () => {
    const model = generated("vxlan");
    const cluster = buildNetwork(model, { onDemand: true });
    const { netns } = cluster.node(model.nodes[0]!.name);
    netns.sockets.udp.send({ destination: 0xffffffff, destinationPort: 9, sourcePort: 9, payloadLength: 1 });
    cluster.network.settle();
    expect(awake(cluster)).toBe(8 + 40 + 2);
  });

  it("follows a changed model on nodes made before and after", () => {
    const before = modelOf(clusterYaml("vxlan"));
    const cluster = buildNetwork(before, { onDemand: true });
    cluster.update({ ...before, pods: before.pods.filter(({ name }) => name !== "a") });
    expect(cluster.pod("default", "a")).toBeNull();
    cluster.update({ ...before, services: [], endpointSlices: [] });
    expect(cluster.pod("default", "a")).not.toBeNull();
    for (const name of ["node1", "node2"])
      expect(exportNode(cluster, name, "iptables-save")).not.toContain("KUBE-SVC-");
  });

  it("is not undone with what packets did", () => {
    const model = generated("vxlan");
    const cluster = buildNetwork(model, { onDemand: true });
    const [a, b] = [model.nodes[1]!, model.nodes[6]!].map(
      ({ name }) => model.pods.find(({ nodeName }) => nodeName === name)!,
    );
    const request: TraceRequest = { from: podText(a!), to: podText(b!), protocol: "icmp" };
    cluster.network.checkpoint();
    const first = send(cluster, request);
    cluster.network.rollback();
    expect(send(cluster, request)).toEqual(first);
  });
});

/** Lines in no order: listings show entries in the order in which they were made. */
const lined = (text: string): string[] => text.split("\n").sort();
