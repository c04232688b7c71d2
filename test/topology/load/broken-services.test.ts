import { describe, expect, it } from "vitest";
import { cluster, join, messagesOf, NODES, pod, service } from "./documents.ts";

/** What is broken, the topology, and every message. */
const CASES: [string, string, string[]][] = [
  [
    "port numbers of a Service",
    service(
      "\n  ports:\n    - {name: a, port: 80, nodePort: 99999}\n    - {name: b, port: '80'}\n    - {name: c, port: 0}\n    - {name: d}",
    ),
    [
      "t.yaml:6: Service/web spec.ports[0].nodePort: 99999 is outside 1-65535",
      't.yaml:7: Service/web spec.ports[1].port: expected a number, got "80"',
      "t.yaml:8: Service/web spec.ports[2].port: 0 is outside 1-65535",
      "t.yaml:9: Service/web spec.ports[3].port: is missing",
    ],
  ],
  [
    "target ports of a Service",
    service(
      "{ports: [{name: a, port: 80, targetPort: '80'}, {name: b, port: 81, targetPort: 70000}, {name: c, port: 82, targetPort: a_b}, {name: d, port: 83, targetPort: [1]}]}",
    ),
    [
      't.yaml:4: Service/web spec.ports[0].targetPort: "80" is a string: write 80 without quotes',
      "t.yaml:4: Service/web spec.ports[1].targetPort: 70000 is outside 1-65535",
      't.yaml:4: Service/web spec.ports[2].targetPort: "a_b" is not a port name (a-z, 0-9, "-", at most 15, one letter at least)',
      "t.yaml:4: Service/web spec.ports[3].targetPort: expected a port number or name, got a list",
    ],
  ],
  [
    "a target port that no selected pod has",
    join(
      NODES,
      pod("p", "", "containers: [{name: c, ports: [{name: http, containerPort: 80}]}]"),
      service(
        "\n  selector: {app: web}\n  ports:\n    - {name: a, port: 80, targetPort: htp}\n    - {name: b, port: 80, protocol: UDP, targetPort: http}",
      ),
    ),
    [
      't.yaml:24: Service/web spec.ports[0].targetPort: no selected pod has a TCP port named "htp"; did you mean "http"?',
      't.yaml:25: Service/web spec.ports[1].targetPort: no selected pod has a UDP port named "http"',
    ],
  ],
  [
    "ports of a Service without names, and twice",
    service("{ports: [{port: 80}, {port: 81, name: a}, {port: 82, name: a}, {port: 82, name: b}]}"),
    [
      "t.yaml:4: Service/web spec.ports[0].name: is missing: a Service of several ports names each",
      't.yaml:4: Service/web spec.ports[2].name: "a" is the name of spec.ports[1] already',
      "t.yaml:4: Service/web spec.ports[3].port: 82/TCP is spec.ports[2] already",
    ],
  ],
  [
    "a Service without ports",
    service("{selector: {app: web}}"),
    ["t.yaml:4: Service/web spec.ports: is missing"],
  ],
  [
    "words of a Service",
    service(
      "{type: Nodeport, sessionAffinity: clientIP, externalTrafficPolicy: local, ports: [{port: 80, protocol: ICMP}]}",
    ),
    [
      't.yaml:4: Service/web spec.type: "Nodeport" is not one of ClusterIP, NodePort, LoadBalancer, ExternalName; did you mean "NodePort"?',
      't.yaml:4: Service/web spec.ports[0].protocol: "ICMP" is not one of TCP, UDP, SCTP',
      't.yaml:4: Service/web spec.sessionAffinity: "clientIP" is not one of None, ClientIP; did you mean "ClientIP"?',
      't.yaml:4: Service/web spec.externalTrafficPolicy: "local" is not one of Cluster, Local; did you mean "Local"?',
    ],
  ],
  [
    "addresses of a Service",
    service(
      "{type: LoadBalancer, clusterIP: 10.96.0, externalIPs: [1.2.3.256], loadBalancerSourceRanges: [10.0.0.0], ports: [{port: 80}]}",
    ),
    [
      't.yaml:4: Service/web spec.clusterIP: "10.96.0" is not an IPv4 address or None',
      't.yaml:4: Service/web spec.externalIPs[0]: "1.2.3.256" is not an IPv4 address',
      't.yaml:4: Service/web spec.loadBalancerSourceRanges[0]: "10.0.0.0" is not an IPv4 block (ADDRESS/LENGTH)',
    ],
  ],
  [
    "an affinity timeout out of bounds",
    service(
      "{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}, ports: [{port: 80}]}",
    ),
    ["t.yaml:4: Service/web spec.sessionAffinityConfig.clientIP.timeoutSeconds: 86401 is outside 1-86400"],
  ],
  [
    "a clusterIP outside the serviceCIDR",
    join(
      cluster("serviceCIDR: 192.168.0.0/17"),
      NODES,
      service("{clusterIP: 192.168.200.1, ports: [{port: 80}]}"),
    ),
    ["t.yaml:22: Service/web spec.clusterIP: 192.168.200.1 is outside the serviceCIDR 192.168.0.0/17"],
  ],
  [
    "a clusterIP twice, and a pod's",
    join(
      NODES,
      pod("p", "status: {podIP: 192.168.97.7}\n"),
      ...["a", "b"].map((name) => service("{clusterIP: 10.96.3.3, ports: [{port: 80}]}", name)),
      service("{clusterIP: 192.168.97.7, ports: [{port: 80}]}", "c"),
    ),
    [
      "t.yaml:27: Service/b spec.clusterIP: 10.96.3.3 is the ClusterIP of Service default/a already",
      "t.yaml:32: Service/c spec.clusterIP: 192.168.97.7 is the address of Pod default/p already",
    ],
  ],
  [
    "a serviceCIDR without addresses left",
    join(
      cluster("serviceCIDR: 10.0.0.0/30"),
      ...["a", "b", "c"].map((name) => service("{ports: [{port: 80}]}", name)),
    ),
    ["t.yaml:20: Service/c spec.clusterIP: no address is left in the serviceCIDR 10.0.0.0/30"],
  ],
  [
    "a nodePort twice",
    join(
      ...["a", "b"].map((name) => service("{type: NodePort, ports: [{port: 80, nodePort: 30080}]}", name)),
      service(
        "{type: NodePort, ports: [{name: a, port: 80, nodePort: 30081}, {name: b, port: 81, nodePort: 30081}]}",
        "c",
      ),
    ),
    [
      "t.yaml:9: Service/b spec.ports[0].nodePort: 30080 is a node port of Service default/a already",
      "t.yaml:14: Service/c spec.ports[1].nodePort: 30081/TCP stands in this Service already",
    ],
  ],
  [
    "a nodePort of a Service that has none",
    service("{ports: [{port: 80, nodePort: 30080}]}"),
    ["t.yaml:4: Service/web spec.ports[0].nodePort: a Service of type ClusterIP has no node ports"],
  ],
  [
    "a headless Service of a type that needs an address",
    service("{type: NodePort, clusterIP: None, ports: [{port: 80}]}"),
    ["t.yaml:4: Service/web spec.clusterIP: a Service of type NodePort needs an address"],
  ],
  [
    "an ExternalName without a name",
    service("{type: ExternalName}"),
    ["t.yaml:4: Service/web spec.externalName: is missing"],
  ],
  [
    "an EndpointSlice's addresses",
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\naddressType: IPv4\nendpoints:\n  - addresses: [10.0.0]\n  - conditions: {ready: 'yes'}\nports: [{port: 80}]\n",
    [
      't.yaml:6: EndpointSlice/s endpoints[0].addresses[0]: "10.0.0" is not an IPv4 address',
      "t.yaml:7: EndpointSlice/s endpoints[1].addresses: is missing",
      't.yaml:7: EndpointSlice/s endpoints[1].conditions.ready: expected true or false, got "yes"',
    ],
  ],
  [
    "an EndpointSlice of no address type",
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\nendpoints: []\n",
    ["t.yaml:1: EndpointSlice/s addressType: is missing"],
  ],
  [
    "Endpoints' addresses and ports",
    "apiVersion: v1\nkind: Endpoints\nmetadata: {name: e}\nsubsets:\n  - addresses: [{ip: web}]\n    ports: [{port: http}]\n",
    [
      't.yaml:5: Endpoints/e subsets[0].addresses[0].ip: "web" is not an IPv4 address',
      't.yaml:6: Endpoints/e subsets[0].ports[0].port: expected a number, got "http"',
    ],
  ],
];

describe("one message a fault: Services and endpoints", () => {
  it.each(CASES)("%s", (_, text, messages) => {
    expect(messagesOf(text)).toEqual(messages);
  });
});
