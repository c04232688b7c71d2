import { describe, expect, it } from "vitest";
import type { Subject } from "../../../src/analysis/diagnose/check.ts";
import { locator } from "../../../src/analysis/diagnose/locate.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";

const CLUSTER = `apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: test}
spec:
  node:
    docker: {hairpin: false}
  nodes:
    node2:
      docker:
        hairpin: true
        mtu: 1400
`;
const OBJECTS = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Node
    metadata: {name: node1}
    spec:
      podCIDR: 10.244.1.0/24
  - apiVersion: v1
    kind: Node
    metadata: {name: node2}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: 1
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers:
            - name: web
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
iptables:
  masqueradeAll: true
---
apiVersion: podpath.dev/v1alpha1
kind: Host
metadata: {name: laptop}
spec:
  address: 10.1.96.10/24
`;

describe("the place of a subject", () => {
  const sources = [
    { file: "cluster.yaml", text: CLUSTER },
    { file: "objects.yaml", text: OBJECTS },
  ];
  const { model } = loadTopology(sources);
  const locate = locator(sources, model);
  const pod = model.pods[0]!;
  const setting = (name: string, ...path: string[]): Subject => ({ kind: "Node", name, setting: path });

  it.each<[string, Subject, string]>([
    [
      "a node's own setting",
      setting("node2", "docker", "mtu"),
      "cluster.yaml:11 Cluster/test spec.nodes.node2.docker.mtu",
    ],
    [
      "one of all nodes",
      setting("node1", "docker", "hairpin"),
      "cluster.yaml:6 Cluster/test spec.node.docker.hairpin",
    ],
    [
      "the nearest line of one nobody wrote",
      setting("node1", "docker", "ipMasq"),
      "cluster.yaml:6 Cluster/test spec.node.docker.ipMasq",
    ],
    ["a field of the Node's", setting("node1", "podCIDR"), "objects.yaml:8 Node/node1 spec.podCIDR"],
    [
      "a field of the Cluster's",
      { kind: "Cluster", path: ["spec", "nodes"] },
      "cluster.yaml:7 Cluster/test spec.nodes",
    ],
    [
      "kube-proxy's configuration",
      { kind: "KubeProxyConfiguration", path: ["iptables", "masqueradeAll"] },
      "objects.yaml:27 KubeProxyConfiguration iptables.masqueradeAll",
    ],
    [
      "a host's field",
      { kind: "Host", name: "laptop", path: ["spec", "address"] },
      "objects.yaml:33 Host/laptop spec.address",
    ],
    [
      "the template that a controller made a pod from",
      { kind: "Pod", namespace: pod.namespace, name: pod.name, path: ["spec", "containers", 0] },
      "objects.yaml:22 Deployment/web spec.template.spec.containers[0]",
    ],
  ])("%s", (_, subject, expected) => {
    const found = locate(subject);
    expect(found && `${found.file}:${found.line} ${found.object} ${found.path}`).toBe(expected);
  });

  it("is nowhere when nothing says it", () => {
    const text = OBJECTS.split("---")[0]!;
    const bare = [{ file: "objects.yaml", text }];
    expect(locator(bare, loadTopology(bare).model)({ kind: "Cluster", path: ["spec"] })).toBeNull();
  });
});
