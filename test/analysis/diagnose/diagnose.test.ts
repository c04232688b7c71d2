import { describe, expect, it } from "vitest";
import { diagnose } from "../../../src/analysis/diagnose/diagnose.ts";
import { freshNetworkOf, tryFlow } from "../../../src/analysis/diagnose/try-flow.ts";
import type { TraceRequest } from "../../../src/trace/request.ts";
import { send } from "../../../src/trace/send.ts";
import { failurePath, gist, modelAt, modelOf } from "./topology.ts";

/** Two nodes with a pod each, a Service before the second; `spec` is added to the Cluster's. */
const cluster = (spec: string, more = ""): string => `
apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: test}
spec:
  serviceCIDR: 10.254.0.0/16
  flannel: {Network: 10.244.0.0/16, ipMasq: true}
  segments: [{name: lan, subnet: 10.1.96.0/24, gateway: 10.1.96.1}]
  node: {docker: {ipMasq: false, hairpin: true, mtu: 1472}}
${spec}
---
{apiVersion: v1, kind: Node, metadata: {name: node1}, spec: {podCIDR: 10.244.1.0/24}}
---
{apiVersion: v1, kind: Node, metadata: {name: node2}, spec: {podCIDR: 10.244.2.0/24}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {nodeName: node1, containers: [{name: client}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {nodeName: node2, containers: [{name: web, ports: [{containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
${more}`;

const found = (spec: string, more?: string): string[] => gist(diagnose(modelOf(cluster(spec, more))));

describe("faults that hide behind one another", () => {
  it("are all found: the one behind once the one before it is mended", () => {
    const spec = `  nodes:
    node2:
      docker: {forwardPolicy: DROP}
      iptables: |
        *filter
        -A INPUT -p udp -m udp --dport 8285 -j DROP
        COMMIT`;
    expect(found(spec)).toEqual(["error udp-port-filtered Node/node2", "error forward-drop Node/node2"]);
  });

  it("and three in a row", () => {
    const spec = `  nodes:
    node1: {sysctl: {net.ipv4.ip_forward: 0}}
    node2: {flannel: {lease: false}, docker: {forwardPolicy: DROP}}`;
    expect(found(spec).sort()).toEqual([
      "error flannel-lease-gone Node/node2",
      "error forward-drop Node/node2",
      "error ip-forward-off Node/node1",
    ]);
  });
});

describe("what looks wrong and breaks nothing is not found", () => {
  it.each([
    [
      "FORWARD's policy is DROP, and rules accept what there is",
      "  nodes:\n    node2:\n      docker: {forwardPolicy: DROP}\n      iptables: |\n        *filter\n        -A FORWARD -d 10.244.2.0/24 -j ACCEPT\n        COMMIT",
    ],
    [
      "strict reverse-path filtering where every path is symmetric",
      "  nodes:\n    node2: {sysctl: {net.ipv4.conf.all.rp_filter: 1}}",
    ],
    ["pods' MTU beyond the tunnel's, and ICMP gets through", "  nodes:\n    node1: {docker: {mtu: 1500}}"],
    [
      "bridge-nf-call-iptables=0 with no two pods of a Service on one bridge",
      "  nodes:\n    node1: {sysctl: {net.bridge.bridge-nf-call-iptables: 0}}",
    ],
    [
      "hairpin off and bridge-nf-call-iptables off: the frame is routed",
      "  nodes:\n    node2: {docker: {hairpin: false}, sysctl: {net.bridge.bridge-nf-call-iptables: 0}}",
    ],
    [
      "a firewall that drops something else",
      "  nodes:\n    node2:\n      iptables: |\n        *filter\n        -A INPUT -p udp -m udp --dport 9999 -j DROP\n        COMMIT",
    ],
    ["a route that leads somewhere", "  nodes:\n    node1: {routes: [{to: 172.16.0.0/16, via: 10.1.96.1}]}"],
  ])("%s", (_, spec) => {
    expect(found(spec)).toEqual([]);
  });
});

describe("an external IP", () => {
  const service = (address: string) =>
    `---\n{apiVersion: v1, kind: Service, metadata: {name: out}, spec: {externalIPs: [${address}], selector: {app: web}, ports: [{port: 80}]}}`;
  const router = `---\n{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: router}, spec: {address: 10.1.96.1/24, routes: [{to: 198.51.100.7/32, via: 10.1.96.2}], sysctl: {net.ipv4.ip_forward: 1}}}`;

  it("that nobody sends to the nodes is taken from somebody", () => {
    expect(found("", service("198.51.100.7"))).toEqual(["error external-ip-hijack Service/out"]);
  });

  it("that a router sends to a node is what it is for", () => {
    expect(found("", `${service("198.51.100.7")}\n${router}`)).toEqual([]);
  });
});

describe("a source that is lost inside the cluster", () => {
  const proxy = (fields: string) =>
    `---\n{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, ${fields}}`;

  it.each([
    [
      "to masqueradeAll",
      "clusterCIDR: 10.244.0.0/16, iptables: {masqueradeAll: true}",
      ["info source-lost KubeProxyConfiguration"],
    ],
    [
      "to a clusterCIDR that is not the pods'",
      "clusterCIDR: 10.240.0.0/16",
      ["info source-lost KubeProxyConfiguration"],
    ],
    ["to nothing", "clusterCIDR: 10.244.0.0/16", []],
  ])("%s", (_, fields, expected) => {
    expect(found("", proxy(fields))).toEqual(expected);
  });
});

describe("a Service of several ports", () => {
  it("has the one named that leads to nobody", () => {
    const more = `---
{apiVersion: v1, kind: Pod, metadata: {name: two, labels: {app: two}}, spec: {nodeName: node2, containers: [{name: two, ports: [{containerPort: 80}, {containerPort: 9090}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: two}, spec: {selector: {app: two}, ports: [{name: web, port: 80}, {name: metrics, port: 9100}]}}`;
    const [finding, ...others] = diagnose(modelOf(cluster("", more)));
    expect(others).toEqual([]);
    expect(finding?.subject).toMatchObject({ name: "two", path: ["spec", "ports", 1, "targetPort"] });
    expect(finding?.message).toBe(
      "default/two sends to port 9100 of 10.244.2.2: there it is 80, 9090 that is listened on",
    );
    expect(finding?.mend).toContain('"value":9090}');
    expect(finding?.mended?.outcome).toMatch(/^delivered to node2\/default\/two /);
  });
});

describe("a hostPort that is taken on every node", () => {
  it("keeps a second pod Pending, and the first answers", () => {
    const pod = (name: string) =>
      `---\n{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {nodeSelector: {role: edge}, containers: [{name: edge, ports: [{containerPort: 80, hostPort: 8080}]}]}}`;
    const edge = `---\n{apiVersion: v1, kind: Node, metadata: {name: edge, labels: {role: edge}}, spec: {podCIDR: 10.244.3.0/24}}`;
    const [finding] = diagnose(modelOf(cluster("", [edge, pod("one"), pod("two")].join("\n"))));
    expect(finding).toMatchObject({
      id: "hostport-conflict",
      subject: { kind: "Pod", name: "two" },
      mended: null,
    });
    expect(finding?.evidence.trace.delivered?.pod).toBe("default/one");
  });
});

describe("a machine on two networks with strict reverse-path filtering", () => {
  const router = `---\n{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: router}, spec: {addresses: [10.1.96.1/24, 10.9.0.1/24], sysctl: {net.ipv4.ip_forward: 1}}}`;
  const db = (filter: number) =>
    `---\n{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: db}, spec: {addresses: [10.1.96.50/24, 10.9.0.50/24], gateway: 10.1.96.1, sysctl: {net.ipv4.conf.all.rp_filter: ${filter}}}}`;
  const spec = "";
  const two = (filter: number) =>
    cluster(spec, [router, db(filter)].join("\n")).replace(
      "gateway: 10.1.96.1}]",
      "gateway: 10.1.96.1}, {name: storage, subnet: 10.9.0.0/24}]",
    );

  it.each([
    [0, []],
    [1, ["error rp-filter-strict Host/db"]],
    [2, []],
  ])("rp_filter %i", (filter, expected) => {
    expect(gist(diagnose(modelOf(two(filter))))).toEqual(expected);
  });
});

describe("topologies with hardly anything in them", () => {
  it.each([
    "{apiVersion: podpath.dev/v1alpha1, kind: Cluster, metadata: {name: empty}}",
    "{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: alone}, spec: {address: 10.1.96.10/24}}",
    "{apiVersion: v1, kind: Node, metadata: {name: node1}}",
    "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, externalIPs: [192.0.2.1], ports: [{port: 80}]}}",
    "{apiVersion: v1, kind: Node, metadata: {name: node1}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}}",
  ])("%s", (text) => {
    expect(gist(diagnose(modelOf(text)))).toEqual([]);
  });
});

describe("a Service without endpoints", () => {
  it("names the pods that are selected but not ready, and works once they are", () => {
    const more = `---
{apiVersion: v1, kind: Service, metadata: {name: slow}, spec: {selector: {app: slow}, ports: [{port: 80}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: slow, labels: {app: slow}}
spec: {nodeName: node2, containers: [{name: slow, ports: [{containerPort: 80}]}]}
status: {conditions: [{type: Ready, status: "False"}]}`;
    const [finding] = diagnose(modelOf(cluster("", more)));
    expect(finding?.id).toBe("no-endpoints");
    expect(finding?.message).toContain("its selector app=slow matches slow, not ready");
    expect(finding?.mended?.outcome).toMatch(/^delivered to node2\/default\/slow /);
  });
});

describe("a flow that is tried", () => {
  const flows: [string, TraceRequest][] = [
    ["no-endpoints", { from: "pod/client", to: "svc/web:80" }],
    ["arp-failed", { from: "pod/client", to: "pod/web:80" }],
    ["double-masquerade", { from: "pod/client", to: "pod/web:80", size: 5000 }],
    ["udp-stale-conntrack", { from: "pod/client", to: "svc/dns:53", protocol: "udp" }],
    ["vxlan-port-filtered", { from: "node/node1", to: "pod/web", protocol: "icmp" }],
  ];

  it.each(flows)(
    "leaves nothing behind: in %s it goes as in a new network, time after time",
    (name, request) => {
      const model = modelAt(failurePath(name));
      const anew = JSON.stringify(send(freshNetworkOf(model), request));
      for (let i = 0; i < 3; i++) expect(JSON.stringify(tryFlow(model, request))).toBe(anew);
    },
  );
});
