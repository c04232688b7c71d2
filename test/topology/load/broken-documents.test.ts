import { describe, expect, it } from "vitest";
import { cluster, join, messagesOf, NODES, pod, service } from "./documents.ts";

/** What is broken, the topology, and every message. */
const CASES: [string, string, string[]][] = [
  ["nothing at all", "", ["t.yaml: holds no object"]],
  ["text that is no YAML", "a: [1\nb: 2\n", ["t.yaml:2: deficient indentation"]],
  [
    "a tab as indentation, and a fault in the next document too",
    "a:\n\tb: 1\n---\nkind: Pod\n",
    ["t.yaml:2: tab characters must not be used in indentation", "t.yaml:4: Pod apiVersion: is missing"],
  ],
  [
    "a key twice",
    "apiVersion: v1\nkind: Pod\nkind: Node\nmetadata: {name: n}\n",
    ["t.yaml:1: Pod/n spec: is missing", 't.yaml:3: the key "kind" stands here twice'],
  ],
  [
    "a custom tag",
    join(NODES, "apiVersion: v1\nkind: Namespace\nmetadata: {name: !!js/function x}\n"),
    ["t.yaml:15: the tag !!js/function is not allowed"],
  ],
  [
    "an alias without an anchor",
    "apiVersion: v1\nkind: *nothing\n",
    ["t.yaml:2: the alias *nothing has no anchor &nothing before it"],
  ],
  [
    "a value that is not what its tag says",
    "apiVersion: v1\nkind: !!int Pod\n",
    [
      "t.yaml:1: Pod metadata.name: is missing",
      "t.yaml:1: Pod spec: is missing",
      't.yaml:2: "Pod" is no !!int',
    ],
  ],
  [
    "a document that is a list",
    "- apiVersion: v1\n",
    ["t.yaml:1: expected an object with apiVersion and kind, got a list"],
  ],
  [
    "a document that is a word",
    "hello\n",
    ['t.yaml:1: expected an object with apiVersion and kind, got "hello"'],
  ],
  [
    "no kind, no apiVersion",
    join("apiVersion: v1\nmetadata: {name: x}\n", "kind: Pod\nmetadata: {name: x}\n"),
    ["t.yaml:1: kind: is missing", "t.yaml:4: Pod/x apiVersion: is missing"],
  ],
  [
    "a version of a kind nobody knows",
    "apiVersion: apps/v3\nkind: Deployment\nmetadata: {name: d}\n",
    [
      't.yaml:1: Deployment/d apiVersion: "apps/v3" is not known; known: apps/v1, apps/v1beta2, apps/v1beta1, extensions/v1beta1',
    ],
  ],
  [
    "a misspelt kind of podpath.dev",
    "apiVersion: podpath.dev/v1alpha1\nkind: Clusterr\nmetadata: {name: c}\n",
    ['t.yaml:2: Clusterr/c kind: "Clusterr" is no kind of podpath.dev; did you mean "Cluster"?'],
  ],
  [
    "no name",
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: c}]}\n",
    ["t.yaml:1: Pod metadata.name: is missing"],
  ],
  [
    "names that are no DNS names",
    join(
      NODES,
      pod("Web_1"),
      "apiVersion: v1\nkind: Service\nmetadata: {name: a.b}\nspec: {ports: [{port: 80}]}\n",
    ),
    [
      't.yaml:15: Pod/Web_1 metadata.name: "Web_1" is not a DNS-1123 name (a-z, 0-9, "-", ".")',
      't.yaml:20: Service/a.b metadata.name: "a.b" is not a DNS-1123 label (a-z, 0-9, "-", at most 63)',
    ],
  ],
  [
    "labels that are no text",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: 1}}\nspec: {containers: [{name: c}]}\n",
    ["t.yaml:3: Pod/p metadata.labels.app: expected a string, got 1"],
  ],
  [
    "a Pod without containers",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: []\n",
    ["t.yaml:5: Pod/p spec.containers: is empty"],
  ],
  [
    "a mapping where a list should be",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    name: c\n",
    ["t.yaml:5: Pod/p spec.containers: expected a list, got a mapping"],
  ],
  [
    "the same object twice",
    join(NODES, pod("p"), pod("p")),
    ["t.yaml:20: Pod/p metadata.name: a second Pod of this name; the first is at t.yaml:13"],
  ],
  [
    "two Clusters",
    join(
      cluster("serviceCIDR: 10.0.0.0/16"),
      cluster("serviceCIDR: 10.0.0.0/16").replace("name: c", "name: d"),
    ),
    ["t.yaml:7: Cluster/d: a second Cluster; a topology has one"],
  ],
  [
    "an item of a List, on its line",
    join(
      NODES,
      "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {name: p}\n    spec:\n      containers:\n        - name: c\n          ports:\n            - containerPort: http\n",
    ),
    ['t.yaml:23: Pod/p spec.containers[0].ports[0].containerPort: expected a number, got "http"'],
  ],
  [
    "a typed list's item",
    "apiVersion: v1\nkind: ServiceList\nitems:\n  - metadata: {name: web}\n    spec: {ports: [{port: web}]}\n",
    ['t.yaml:5: Service/web spec.ports[0].port: expected a number, got "web"'],
  ],
  [
    "a List of no items",
    "apiVersion: v1\nkind: List\nitems: none\n---\napiVersion: v1\nkind: List\n",
    ['t.yaml:3: List items: expected a list, got "none"', "t.yaml:5: List items: is missing"],
  ],
  [
    "JSON, on its line",
    '{\n  "apiVersion": "v1",\n  "kind": "Service",\n  "metadata": {"name": "web"},\n  "spec": {\n    "ports": [\n      {"port": 123456}\n    ]\n  }\n}\n',
    ["t.yaml:7: Service/web spec.ports[0].port: 123456 is outside 1-65535"],
  ],
  [
    "several faults at once, in order of line",
    join(
      cluster("serviceCIDR: 192.168.0.0/17"),
      NODES,
      pod("p", "", "nodeName: node9, containers: [{name: c}]"),
      service("{clusterIP: 10.0.0.1, ports: [{port: 80}]}"),
      pod("q", "status: {podIP: 192.168.97.300}\n", "nodeName: node1, containers: [{name: c}]"),
    ),
    [
      't.yaml:22: Pod/p spec.nodeName: there is no Node "node9"; did you mean "node1"?',
      "t.yaml:27: Service/web spec.clusterIP: 10.0.0.1 is outside the serviceCIDR 192.168.0.0/17",
      't.yaml:33: Pod/q status.podIP: "192.168.97.300" is not an IPv4 address',
    ],
  ],
];

describe("one message a fault: documents and objects as such", () => {
  it.each(CASES)("%s", (_, text, messages) => {
    expect(messagesOf(text)).toEqual(messages);
  });
});
