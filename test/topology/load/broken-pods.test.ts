import { describe, expect, it } from "vitest";
import { join, messagesOf, NODES, pod } from "./documents.ts";

/** What is broken, the topology, and every message. */
const CASES: [string, string, string[]][] = [
  [
    "a Pod on a node that is not there",
    join(NODES, pod("p", "", "nodeName: nodee1, containers: [{name: c}]")),
    ['t.yaml:16: Pod/p spec.nodeName: there is no Node "nodee1"; did you mean "node1"?'],
  ],
  [
    "a podIP of another node",
    join(NODES, pod("p", "status: {podIP: 192.168.96.7}\n", "nodeName: node1, containers: [{name: c}]")),
    ["t.yaml:17: Pod/p status.podIP: 192.168.96.7 is outside 192.168.97.0/24 of Node node1"],
  ],
  [
    "a podIP of no node",
    join(NODES, pod("p", "status: {podIP: 172.16.0.7}\n")),
    ["t.yaml:17: Pod/p status.podIP: 172.16.0.7 lies in no Node's podCIDR"],
  ],
  [
    "podIPs nobody may have",
    join(
      NODES,
      pod("a", "status: {podIP: 192.168.97.1}\n"),
      pod("b", "status: {podIP: 192.168.97.0}\n"),
      pod("c", "status: {podIP: 192.168.97.255}\n"),
      pod("d", "status: {podIP: 192.168.97}\n", "nodeName: node1, containers: [{name: c}]"),
    ),
    [
      "t.yaml:17: Pod/a status.podIP: 192.168.97.1 is the address of docker's bridge on Node node1",
      "t.yaml:23: Pod/b status.podIP: 192.168.97.0 is the network address of 192.168.97.0/24",
      "t.yaml:29: Pod/c status.podIP: 192.168.97.255 is the broadcast address of 192.168.97.0/24",
      't.yaml:35: Pod/d status.podIP: "192.168.97" is not an IPv4 address',
    ],
  ],
  [
    "two Pods of one address",
    join(NODES, pod("a", "status: {podIP: 192.168.97.7}\n"), pod("b", "status: {podIP: 192.168.97.7}\n")),
    ["t.yaml:23: Pod/b status.podIP: 192.168.97.7 is the address of Pod default/a already"],
  ],
  [
    "a hostNetwork Pod of another address",
    join(
      NODES,
      pod(
        "p",
        "status: {podIP: 192.168.97.7}\n",
        "nodeName: node1, hostNetwork: true, containers: [{name: c}]",
      ),
    ),
    [
      "t.yaml:17: Pod/p status.podIP: 192.168.97.7 is not the address of Node node1, 10.1.96.232, whose network the pod uses",
    ],
  ],
  [
    "ports of a container",
    join(
      NODES,
      pod(
        "p",
        "",
        "containers: [{name: c, ports: [{containerPort: 0}, {containerPort: 80, protocol: tcp}, {containerPort: 81, name: Web}, {containerPort: 8.5}]}]",
      ),
    ),
    [
      "t.yaml:16: Pod/p spec.containers[0].ports[0].containerPort: 0 is outside 1-65535",
      't.yaml:16: Pod/p spec.containers[0].ports[1].protocol: "tcp" is not one of TCP, UDP, SCTP',
      't.yaml:16: Pod/p spec.containers[0].ports[2].name: "Web" is not a port name (a-z, 0-9, "-", at most 15, one letter at least)',
      "t.yaml:16: Pod/p spec.containers[0].ports[3].containerPort: 8.5 is not a whole number",
    ],
  ],
  [
    "container and port names twice",
    join(
      NODES,
      pod(
        "p",
        "",
        "containers: [{name: c, ports: [{name: web, containerPort: 80}]}, {name: c, ports: [{name: web, containerPort: 81}]}]",
      ),
    ),
    [
      't.yaml:16: Pod/p spec.containers[1].name: "c" is the name of spec.containers[0] already',
      't.yaml:16: Pod/p spec.containers[1].ports[0].name: "web" is the name of a port of container c already',
    ],
  ],
  [
    "two Pods of one node with one hostPort",
    join(
      NODES,
      ...["a", "b"].map((name) =>
        pod(
          name,
          "",
          "nodeName: node1, containers: [{name: c, ports: [{containerPort: 80, hostPort: 8080}]}]",
        ),
      ),
    ),
    [
      "t.yaml:21: Pod/b spec.containers[0].ports[0].hostPort: 8080/TCP of Node node1 is taken by Pod default/a already",
    ],
  ],
  [
    "two DaemonSets with one hostPort",
    join(
      NODES,
      ...["a", "b"].map(
        (name) =>
          `apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: ${name}}\nspec:\n  selector: {matchLabels: {app: ${name}}}\n  template:\n    metadata: {labels: {app: ${name}}}\n    spec:\n      nodeSelector: {}\n      containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]\n`,
      ),
    ),
    [
      "t.yaml:33: DaemonSet/b spec.template.spec.containers[0].ports[0].hostPort: 80/TCP of Node node2 is taken by Pod default/a-2m1t8 already",
      "t.yaml:33: DaemonSet/b spec.template.spec.containers[0].ports[0].hostPort: 80/TCP of Node node1 is taken by Pod default/a-v2jz4 already",
    ],
  ],
  [
    "a pod sysctl out of bounds",
    join(
      NODES,
      pod(
        "p",
        "",
        "securityContext: {sysctls: [{name: net.ipv4.ip_default_ttl, value: '300'}]}, containers: [{name: c}]",
      ),
    ),
    ["t.yaml:16: Pod/p spec.securityContext.sysctls[0].value: net.ipv4.ip_default_ttl: 300 is outside 1-255"],
  ],
  [
    "readiness that is neither True nor False",
    join(NODES, pod("p", "status: {conditions: [{type: Ready, status: 'yes'}], phase: Runing}\n")),
    [
      't.yaml:17: Pod/p status.phase: "Runing" is not one of Pending, Running, Succeeded, Failed, Unknown; did you mean "Running"?',
      't.yaml:17: Pod/p status.conditions[0].status: "yes" is not one of True, False, Unknown',
    ],
  ],
  [
    "a replica count below zero",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: -1, template: {spec: {containers: [{name: c}]}}}\n",
    ["t.yaml:4: Deployment/d spec.replicas: -1 is outside 0-1000000"],
  ],
  [
    "an expression nobody knows",
    "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: r}\nspec: {selector: {matchExpressions: [{key: a, operator: Is}]}, template: {spec: {containers: [{name: c}]}}}\n",
    [
      't.yaml:4: ReplicaSet/r spec.selector.matchExpressions[0].operator: "Is" is not one of In, NotIn, Exists, DoesNotExist; did you mean "In"?',
    ],
  ],
];

describe("one message a fault: Pods and workloads", () => {
  it.each(CASES)("%s", (_, text, messages) => {
    expect(messagesOf(text)).toEqual(messages);
  });
});
