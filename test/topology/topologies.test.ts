import { describe, expect, it } from "vitest";
import type { ClusterModel } from "../../src/cluster/objects/model.ts";
import { keyOf } from "../../src/cluster/objects/store.ts";
import { loadTopology } from "../../src/topology/load/load.ts";
import { topologyNames } from "../../src/topology/load/names.ts";
import { builtInTopology, readSources } from "../../src/topology/load/source.ts";

function load(name: string): ClusterModel {
  const { model, warnings } = loadTopology(readSources([builtInTopology(name)]));
  expect(warnings).toEqual([]);
  return model;
}

/** `NAME TYPE CLUSTERIP PORT:NODEPORT>TARGET/PROTOCOL…`, as `kubectl get services` would sum a Service up. */
const services = (model: ClusterModel) =>
  model.services.map((service) => {
    const { type, clusterIP, ports = [] } = service.spec ?? {};
    const columns = ports.map(
      ({ port, nodePort, targetPort, protocol }) => `${port}:${nodePort ?? ""}>${targetPort}/${protocol}`,
    );
    return [keyOf(service), type, clusterIP, ...columns].join(" ");
  });

/** `SERVICE ADDRESS:PORT…`, endpoints in order. */
const endpoints = (model: ClusterModel) =>
  model.endpointSlices.map((slice) => {
    const addresses = (slice.endpoints ?? []).flatMap((endpoint) =>
      (slice.ports ?? []).map(({ port }) => `${endpoint.addresses[0]}:${port}`),
    );
    return [slice.metadata?.labels?.["kubernetes.io/service-name"], ...addresses].join(" ");
  });

const pods = (model: ClusterModel) => model.pods.map(({ name, nodeName, ip }) => `${name} ${nodeName} ${ip}`);
const nodes = (model: ClusterModel) =>
  model.nodes.map(({ name, nic, podCIDR, docker, gateway }) =>
    [name, nic.name, nic.addresses[0], podCIDR, docker.bridge, docker.address, gateway].join(" "),
  );

describe("two-workers", () => {
  const model = load("two-workers");

  it("has the tutorial's machines at their addresses", () => {
    expect(nodes(model)).toEqual([
      "srv-k8s-master1 ens33 10.1.96.231/24 192.168.98.0/24 docker0 192.168.98.1/24 10.1.96.1",
      "srv-k8s-node1 ens33 10.1.96.232/24 192.168.97.0/24 docker0 192.168.97.1/24 10.1.96.1",
      "srv-k8s-node2 ens33 10.1.96.233/24 192.168.96.0/24 docker0 192.168.96.1/24 10.1.96.1",
    ]);
    expect(model.hosts.map(({ name, nics, gateway }) => [name, nics[0]?.addresses[0], gateway])).toEqual([
      ["gw", "10.1.96.1/24", null],
      ["laptop", "10.1.96.10/24", "10.1.96.1"],
    ]);
    expect(model.hosts[0]?.sysctl["net.ipv4.ip_forward"]).toBe(1);
    expect(model.flannel).toEqual({
      network: "192.168.0.0/16",
      subnetLen: 24,
      backend: { type: "udp", port: 8285 },
      ipMasq: false,
      forwardRules: false,
    });
    expect(model.kubeProxy.configuration.clusterCIDR).toBe("192.168.0.0/16");
  });

  it("has its pods on both workers", () => {
    expect(pods(model)).toEqual([
      "client srv-k8s-node1 192.168.97.2",
      "client2 srv-k8s-node2 192.168.96.2",
      "hello-nginx-14hst srv-k8s-node2 192.168.96.33",
      "hello-nginx-h88jv srv-k8s-node1 192.168.97.36",
      "hello-nginx-qw2ts srv-k8s-node1 192.168.97.35",
      "hello-nginx-x0hcg srv-k8s-node2 192.168.96.34",
      "nginxpod srv-k8s-node2 192.168.96.54",
      "kube-dns srv-k8s-node2 192.168.96.10",
    ]);
    const nginxpod = model.pods.find(({ name }) => name === "nginxpod");
    expect(nginxpod?.containers.map(({ name, ports }) => [name, ports[0]?.hostPort])).toEqual([
      ["nginx80", 80],
      ["nginx8800", 8800],
    ]);
  });

  it("has a Service of every kind", () => {
    expect(services(model)).toEqual([
      "default/kubernetes ClusterIP 192.168.0.1 443:>6443/TCP",
      "default/my-second-service LoadBalancer 192.168.99.133 80:30812>80/TCP",
      "default/nginx ClusterIP 192.168.25.10 80:>http/TCP",
      "default/nginx-headless ClusterIP None 80:>80/TCP",
      "default/nginx-service NodePort 192.168.25.197 80:30088>80/TCP",
      "default/no-endpoints NodePort 192.168.25.99 80:30099>80/TCP",
      "kube-system/kube-dns ClusterIP 192.168.0.10 53:>dns/UDP 53:>dns-tcp/TCP",
    ]);
    const nginx = "192.168.96.33:80 192.168.97.36:80 192.168.97.35:80 192.168.96.34:80";
    expect(endpoints(model).sort()).toEqual([
      "kube-dns 192.168.96.10:53 192.168.96.10:53",
      "kubernetes 10.1.96.231:6443",
      `my-second-service ${nginx}`,
      `nginx ${nginx}`,
      `nginx-headless ${nginx}`,
      `nginx-service ${nginx}`,
      "no-endpoints",
    ]);
  });

  it("gives its names for completion", () => {
    expect(topologyNames(model)).toMatchObject({
      nodes: ["srv-k8s-master1", "srv-k8s-node1", "srv-k8s-node2"],
      hosts: ["gw", "laptop"],
      services: expect.arrayContaining(["default/nginx", "kube-system/kube-dns"]),
      pods: expect.arrayContaining(["default/client", "kube-system/kube-dns"]),
    });
  });
});

describe("seed", () => {
  const model = load("seed");

  it("is the tutorial's worker", () => {
    expect(nodes(model)).toEqual([
      "srv-k8s-node2 ens33 10.1.96.233/24 192.168.96.0/24 docker0 192.168.96.1/24 10.1.96.1",
    ]);
    expect(model.kubeProxy.version).toBe("1.7");
    expect(model.hosts.map(({ name }) => name)).toEqual(["gw", "laptop", "srv-k8s-master1"]);
  });

  it("has the very addresses and ports of its Services", () => {
    expect(services(model)).toEqual([
      "new-namespace/my-second-service LoadBalancer 192.168.99.133 80:30812>80/TCP",
      "new-namespace/nginx-service NodePort 192.168.25.197 80:30088>80/TCP",
      "new-namespace/nginx-services NodePort 192.168.75.151 30188:30600>80/TCP",
      "new-namespace/podtoservcie ClusterIP 192.168.16.229 80:>80/TCP",
    ]);
    const podtoservcie = ["45", "46", "47", "48", "30", "44"]
      .map((last) => `192.168.96.${last}:80`)
      .join(" ");
    expect(endpoints(model).sort()).toEqual([
      `my-second-service ${podtoservcie}`,
      "nginx-service 192.168.96.33:80 192.168.96.36:80 192.168.96.35:80 192.168.96.34:80",
      "nginx-services 192.168.96.45:80 192.168.96.46:80 192.168.96.47:80 192.168.96.48:80",
      `podtoservcie ${podtoservcie}`,
    ]);
  });

  it("has its pods, one more for the DaemonSet, and an ended one without a sandbox", () => {
    const [daemon, ...rest] = pods(model);
    expect(daemon).toMatch(
      /^fluentd2-elasticsearch-[bcdfghjklmnpqrstvwxz0-9]{5} srv-k8s-node2 192\.168\.96\.2$/,
    );
    expect(rest).toContain("nginxpod srv-k8s-node2 192.168.96.54");
    expect(rest).toHaveLength(11);
    expect(model.podsWithoutSandbox).toEqual([
      { namespace: "new-namespace", name: "package-check-2pbkx", phase: "Succeeded", reason: "Succeeded" },
    ]);
  });
});

describe.each([
  ["vxlan", { type: "vxlan", vni: 1, port: 8472 }],
  ["host-gw", { type: "host-gw" }],
])("%s", (name, backend) => {
  const model = load(name);

  it("has its back end and two workers", () => {
    expect(model.flannel).toMatchObject({ network: "10.244.0.0/16", subnetLen: 24, backend });
    expect(model.nodes.map(({ internalIP, podCIDR }) => `${internalIP} ${podCIDR}`)).toEqual([
      "10.1.96.232 10.244.1.0/24",
      "10.1.96.233 10.244.2.0/24",
    ]);
    expect(model.kubeProxy.configuration.clusterCIDR).toBe("10.244.0.0/16");
  });

  it("has a client, and nginx on both workers behind an allocated address", () => {
    expect(pods(model)[0]).toBe("client worker1 10.244.1.2");
    const nginx = model.pods.filter(({ labels }) => labels["app"] === "nginx");
    expect(nginx.map(({ ip }) => ip).sort()).toEqual(["10.244.1.3", "10.244.2.2", "10.244.2.3"]);
    expect(services(model)).toEqual(["default/nginx NodePort 10.254.1.1 80:30080>http/TCP"]);
  });
});

describe("every topology", () => {
  it("is the same cluster each time it is loaded", () => {
    for (const name of ["two-workers", "seed", "vxlan", "host-gw"]) expect(load(name)).toEqual(load(name));
  });
});
