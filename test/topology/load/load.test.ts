import { describe, expect, it } from "vitest";
import { formatFault } from "../../../src/topology/load/fault.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { cluster, host, join, messagesOf, modelOf, NODES, pod, service } from "./documents.ts";

const bareNode = (name: string) => `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\n`;
const warningsOf = (...documents: string[]) =>
  loadTopology([{ file: "t.yaml", text: join(...documents) }]).warnings.map(formatFault);

describe("what nobody states", () => {
  it("is a segment around the nodes, flannel's and docker's defaults, kube-proxy of today", () => {
    const model = modelOf(NODES);
    expect(model).toMatchObject({
      name: "cluster",
      serviceCIDR: "10.96.0.0/12",
      segments: [{ name: "lan", subnet: "10.1.96.0/24", gateway: null }],
      flannel: {
        network: "192.168.0.0/16",
        subnetLen: 24,
        backend: { type: "udp", port: 8285 },
        ipMasq: false,
      },
      kubeProxy: { version: "1.32", nfacct: true, conntrackCleanup: true },
    });
    expect(model.nodes[0]).toMatchObject({
      nic: { name: "ens33", mtu: 1500, segment: "lan", addresses: ["10.1.96.232/24"] },
      docker: {
        bridge: "docker0",
        address: "192.168.97.1/24",
        ipMasq: true,
        iptables: true,
        hairpin: false,
        forwardPolicy: "ACCEPT",
        mtu: 1500,
      },
      sysctl: {
        "net.ipv4.ip_forward": 1,
        "net.bridge.bridge-nf-call-iptables": 1,
        "net.ipv4.conf.all.rp_filter": 0,
      },
      listen: [{ port: 10250, protocol: "TCP" }],
    });
  });

  it("is allocated: nodes the first free addresses and subnets, in order of name", () => {
    const model = modelOf(
      host("{address: 10.1.96.2/24, gateway: 10.1.96.1}"),
      bareNode("b"),
      bareNode("a"),
      bareNode("c"),
    );
    expect(model.nodes.map(({ name, internalIP, podCIDR }) => `${name} ${internalIP} ${podCIDR}`)).toEqual([
      "a 10.1.96.3 192.168.1.0/24",
      "b 10.1.96.4 192.168.2.0/24",
      "c 10.1.96.5 192.168.3.0/24",
    ]);
    expect(model.segments[0]?.gateway).toBe("10.1.96.1");
    expect(model.nodes[0]?.kubernetes).toMatchObject({
      spec: { podCIDR: "192.168.1.0/24" },
      status: { addresses: [{ type: "InternalIP", address: "10.1.96.3" }] },
    });
  });

  it("leaves out subnets that are taken, and keeps flannel's bounds", () => {
    const conf = "{Network: 10.244.0.0/16, SubnetLen: 26, SubnetMin: 10.244.9.0, SubnetMax: 10.244.9.192}";
    const taken = "apiVersion: v1\nkind: Node\nmetadata: {name: z}\nspec: {podCIDR: 10.244.9.64/26}\n";
    const model = modelOf(cluster(`flannel: ${conf}`), bareNode("a"), bareNode("b"), taken);
    expect(model.nodes.map(({ podCIDR, docker }) => `${podCIDR} ${docker.address}`)).toEqual([
      "10.244.9.0/26 10.244.9.1/26",
      "10.244.9.128/26 10.244.9.129/26",
      "10.244.9.64/26 10.244.9.65/26",
    ]);
  });

  it.each([
    ["10.244.0.0/16", 24],
    ["10.244.0.0/22", 24],
    ["10.244.0.0/23", 25],
    ["10.244.0.0/28", 30],
  ])("SubnetLen of %s is %i", (network, subnetLen) => {
    expect(modelOf(cluster(`flannel: {Network: ${network}}`)).flannel.subnetLen).toBe(subnetLen);
  });

  it.each([
    ["{Type: udp}", { type: "udp", port: 8285 }],
    ["{Port: 9000}", { type: "udp", port: 9000 }],
    ["{Type: vxlan}", { type: "vxlan", vni: 1, port: 8472 }],
    ["{Type: vxlan, VNI: 7, Port: 4789}", { type: "vxlan", vni: 7, port: 4789 }],
    ["{Type: host-gw}", { type: "host-gw" }],
  ])("back end %s", (backend, expected) => {
    expect(modelOf(cluster(`flannel: {Backend: ${backend}}`)).flannel.backend).toEqual(expected);
  });

  it("is kube-proxy's own default in a KubeProxyConfiguration: no clusterCIDR then", () => {
    const document =
      "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\niptables: {masqueradeBit: 15}\n";
    expect(modelOf(NODES, document).kubeProxy.configuration).toMatchObject({
      clusterCIDR: "",
      detectLocalMode: "ClusterCIDR",
      iptables: { masqueradeBit: 15, localhostNodePorts: true },
    });
  });
});

describe("settings of nodes", () => {
  it("are the Cluster's for all, changed by the node's own", () => {
    const model = modelOf(
      cluster(
        "node: {nic: {name: eth0, mtu: 9000}, sysctl: {net.ipv4.conf.all.rp_filter: 2}, listen: [22]}\n" +
          "nodes:\n  node2: {nic: {mtu: 1400}, docker: {hairpin: true}, sysctl: {net.ipv4.ip_forward: 0," +
          " net.ipv4.ip_local_port_range: 1024 65535}, listen: [{port: 53, protocol: UDP}], gateway: 10.1.96.9}",
      ),
      NODES,
    );
    const [node1, node2] = model.nodes;
    expect(node1).toMatchObject({
      nic: { name: "eth0", mtu: 9000 },
      listen: [{ port: 22, protocol: "TCP" }],
    });
    expect(node2).toMatchObject({
      nic: { name: "eth0", mtu: 1400 },
      docker: { hairpin: true, ipMasq: true },
      sysctl: { "net.ipv4.ip_forward": 0, "net.ipv4.conf.all.rp_filter": 2 },
      localPortRange: { first: 1024, last: 65535 },
      listen: [{ port: 53, protocol: "UDP" }],
      gateway: "10.1.96.9",
    });
    expect(node2?.sysctl).not.toHaveProperty(["net.ipv4.ip_local_port_range"]);
  });
});

describe("segments and hosts", () => {
  it("a router stands on two segments with a NIC on each", () => {
    const model = modelOf(
      cluster(
        "segments:\n  - {name: lan, subnet: 10.1.96.0/24, gateway: 10.1.96.1}\n  - {name: wan, subnet: 198.51.100.0/24}",
      ),
      NODES,
      host("{addresses: [10.1.96.1/24, 198.51.100.1/24, 10.1.96.2/24], mtu: 1400}", "router"),
      host(
        "\n  address: 198.51.100.7/24\n  gateway: 198.51.100.1\n  routes: [{to: 10.9.0.0/16, via: 198.51.100.9}]",
      ),
    );
    expect(model.hosts.map(({ name, nics }) => [name, nics])).toEqual([
      ["laptop", [{ name: "eth0", mtu: 1500, segment: "wan", addresses: ["198.51.100.7/24"] }]],
      [
        "router",
        [
          { name: "eth0", mtu: 1400, segment: "lan", addresses: ["10.1.96.1/24", "10.1.96.2/24"] },
          { name: "eth1", mtu: 1400, segment: "wan", addresses: ["198.51.100.1/24"] },
        ],
      ],
    ]);
    expect(model.segments[1]).toEqual({ name: "wan", subnet: "198.51.100.0/24", gateway: "198.51.100.1" });
    expect(model.hosts[0]?.routes).toEqual([{ to: "10.9.0.0/16", via: "198.51.100.9" }]);
  });

  it("everything is on one segment by default, whatever its subnet", () => {
    const model = modelOf(NODES, host("{address: 172.16.0.5/16}"));
    expect(model.segments).toHaveLength(1);
    expect(model.hosts[0]?.nics[0]?.segment).toBe("lan");
  });
});

describe("pods", () => {
  it("get the next free address of their node from .2 on, after those that are stated", () => {
    const model = modelOf(
      NODES,
      ...["e", "d", "c"].map((name) => pod(name, "", "nodeName: node1, containers: [{name: c}]")),
      pod("a", "status: {podIP: 192.168.97.3}\n"),
      pod(
        "h",
        "",
        "nodeName: node2, hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]",
      ),
    );
    expect(model.pods.map(({ name, nodeName, ip }) => `${name} ${nodeName} ${ip}`)).toEqual([
      "a node1 192.168.97.3",
      "c node1 192.168.97.2",
      "d node1 192.168.97.4",
      "e node1 192.168.97.5",
      "h node2 10.1.96.233",
    ]);
    expect(model.pods[4]?.containers[0]?.ports[0]?.hostPort).toBeNull();
  });

  it.each([
    ["", "Running", true, true],
    ["status: {conditions: [{type: Ready, status: 'False'}]}\n", "Running", false, false],
    [
      "status: {conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: c, ready: false}]}\n",
      "Running",
      true,
      false,
    ],
    [
      "status: {containerStatuses: [{name: c, ready: true, state: {waiting: {reason: CrashLoopBackOff}}}]}\n",
      "Running",
      true,
      false,
    ],
    ["status: {phase: Pending, podIP: 192.168.97.9}\n", "Pending", false, false],
  ])("status %j: %s, ready %s, container ready %s", (status, phase, ready, containerReady) => {
    const [model] = modelOf(NODES, pod("p", status)).pods;
    expect(model).toMatchObject({ phase, ready, containers: [{ ready: containerReady }] });
  });

  it.each([
    ["status: {phase: Succeeded}\n", "Succeeded", "Succeeded"],
    ["status: {phase: Failed, podIP: 192.168.97.9}\n", "Failed", "Failed"],
    ["status: {phase: Pending}\n", "Pending", "ContainerCreating"],
  ])("status %j: no sandbox, %s", (status, phase, reason) => {
    const model = modelOf(NODES, pod("p", status, "nodeName: node1, containers: [{name: c}]"));
    expect(model.pods).toEqual([]);
    expect(model.podsWithoutSandbox).toEqual([{ namespace: "default", name: "p", phase, reason }]);
  });

  it("keep the sysctls of theirs that are simulated", () => {
    const sysctls =
      "[{name: net.ipv4.ip_default_ttl, value: '32'}, {name: net.core.somaxconn, value: '1024'}]";
    const [model] = modelOf(
      NODES,
      pod("p", "", `securityContext: {sysctls: ${sysctls}}, containers: [{name: c}]`),
    ).pods;
    expect(model?.sysctl).toEqual({ "net.ipv4.ip_default_ttl": 32 });
  });

  it("may hold one address twice only where two nodes hold one subnet", () => {
    const clash = `${bareNode("node3")}spec: {podCIDR: 192.168.96.0/24}\n`;
    const twin = (name: string, node: string) =>
      pod(name, "status: {podIP: 192.168.96.7}\n", `nodeName: ${node}, containers: [{name: c}]`);
    expect(modelOf(NODES, clash, twin("a", "node2"), twin("b", "node3")).pods).toHaveLength(2);
    expect(warningsOf(NODES, clash)).toEqual([
      "t.yaml:16: Node/node3 spec.podCIDR: 192.168.96.0/24 overlaps 192.168.96.0/24 of Node node2",
    ]);
  });
});

describe("warnings", () => {
  it("one a kind that is passed over", () => {
    const ingress = (name: string) =>
      `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: ${name}}\n`;
    const knative = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\n";
    expect(warningsOf(NODES, ingress("a"), ingress("b"), knative)).toEqual([
      "t.yaml:13: kind Ingress (networking.k8s.io/v1) is passed over",
      "t.yaml:21: kind Service (serving.knative.dev/v1) is passed over",
    ]);
  });

  it("a pod that nothing fits, with the scheduler's words", () => {
    const spec = "nodeSelector: {disk: ssd}, containers: [{name: c}]";
    expect(warningsOf(NODES, pod("p", "", spec))).toEqual([
      "t.yaml:13: Pod/p: stays Pending: 0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    ]);
    expect(modelOf(NODES, pod("p", "", spec)).podsWithoutSandbox[0]?.phase).toBe("Pending");
  });

  it("a subnet without an address left", () => {
    const tiny = `${bareNode("tiny")}spec: {podCIDR: 192.168.97.0/30}\n`;
    expect(warningsOf(tiny, pod("a"), pod("b"))).toEqual([
      "t.yaml:11: Pod/b: stays Pending: no address is left in 192.168.97.0/30 of Node tiny",
    ]);
  });
});

describe("what is not ours is let through", () => {
  it("unknown fields of Kubernetes objects, nulls where kubectl prints them", () => {
    const text =
      "metadata: {name: p, creationTimestamp: null, managedFields: [{manager: x}]}\nspec: {enableServiceLinks: true, volumes: [], containers: [{name: c, resources: {}, ports: null}]}\nstatus: null\n";
    expect(messagesOf(join(NODES, `apiVersion: v1\nkind: Pod\n${text}`))).toEqual([]);
  });

  it("Services that kube-proxy passes over, IPv6 slices", () => {
    const slice =
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: six}\naddressType: IPv6\nendpoints: [{addresses: ['fd00::1']}]\nports: []\n";
    const model = modelOf(NODES, service("{type: ExternalName, externalName: example.org}"), slice);
    expect(model.services[0]?.spec?.clusterIP).toBeUndefined();
    expect(model.endpointSlices).toEqual([]);
    expect(model.store.endpointSlices.size).toBe(1);
  });

  it("a named target port nobody is there to have", () => {
    expect(messagesOf(service("{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"))).toEqual([]);
  });
});

describe("size", () => {
  it("1,000 pods behind 100 Services load in a second or two", () => {
    const documents = [cluster("segments: [{name: lan, subnet: 10.0.0.0/16}]")];
    for (let i = 0; i < 10; i++) documents.push(bareNode(`node${i}`));
    for (let i = 0; i < 1000; i++) documents.push(pod(`p${i}`).replace("app: web", `app: a${i % 100}`));
    for (let i = 0; i < 100; i++)
      documents.push(service(`{selector: {app: a${i}}, ports: [{port: 80}]}`, `s${i}`));
    const start = performance.now();
    const model = modelOf(...documents);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(model.pods).toHaveLength(1000);
    expect(new Set(model.pods.map(({ ip }) => ip)).size).toBe(1000);
    expect(model.endpointSlices.every(({ endpoints }) => endpoints?.length === 10)).toBe(true);
  });
});
