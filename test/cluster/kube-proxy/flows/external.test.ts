import type { ServiceSpec } from "kubernetes-types/core/v1.js";
import { loadBalancer, nodePort, service, slice } from "../cluster.ts";
import { describeFlows } from "./node.ts";

const LOCAL_POD = "192.168.97.2";
const NODE = "10.1.96.232";
const DOCKER0 = "192.168.97.1";
const CLIENT = "203.0.113.9";
const NODE_PORT = `${NODE}:30080`;
const VIP = "10.0.0.10:80";
const LB = "203.0.113.10:80";
const EXTERNAL = "198.51.100.7:80";
const HERE = "192.168.97.5:8080";
const THERE = "192.168.96.4:8080";

const both = slice(["192.168.97.5 local", "192.168.96.4"]);
const remote = slice(["192.168.96.4"]);
const none = slice([]);
const LOCAL: Partial<ServiceSpec> = { externalTrafficPolicy: "Local", healthCheckNodePort: 31234 };

describeFlows("a NodePort", { services: [nodePort()], slices: [both] }, [
  ["masquerades a client", CLIENT, NODE_PORT, `${THERE} masq | ${HERE} masq`],
  ["at every address of the node", CLIENT, `${DOCKER0}:30080`, `${THERE} masq | ${HERE} masq`],
  ["and a pod here", LOCAL_POD, NODE_PORT, `${THERE} masq | ${HERE} masq`],
  ["and the node itself", NODE, NODE_PORT, `${THERE} masq | ${HERE} masq`],
  ["at localhost too", "127.0.0.1", "127.0.0.1:30080", `${THERE} masq | ${HERE} masq`],
  ["another port is the node's own", CLIENT, `${NODE}:30081`, `node ${NODE}:30081`],
  [
    "at another node's address it is that node's business",
    LOCAL_POD,
    "10.1.96.233:30080",
    "10.1.96.233:30080",
  ],
  ["the ClusterIP is there as well", LOCAL_POD, VIP, `${THERE} | ${HERE}`],
]);

describeFlows("a NodePort without endpoints", { services: [nodePort()], slices: [none] }, [
  ["rejected for a client", CLIENT, NODE_PORT, "rejected"],
  ["for a pod", LOCAL_POD, NODE_PORT, "rejected"],
  // OUTPUT has no jump to KUBE-EXTERNAL-SERVICES; what the node sends itself comes to INPUT by lo
  ["for the node itself", NODE, NODE_PORT, "rejected"],
]);

describeFlows(
  "a NodePort at some addresses alone",
  { services: [nodePort()], slices: [both], config: { nodePortAddresses: ["10.1.96.0/24"] } },
  [
    ["at one of them", CLIENT, NODE_PORT, `${THERE} masq | ${HERE} masq`],
    ["at another", CLIENT, `${DOCKER0}:30080`, `node ${DOCKER0}:30080`],
    ["not at localhost", "127.0.0.1", "127.0.0.1:30080", "node 127.0.0.1:30080"],
  ],
);

describeFlows(
  "a NodePort at the primary address alone",
  { services: [nodePort()], slices: [remote], config: { nodePortAddresses: ["primary"] } },
  [
    ["at it", CLIENT, NODE_PORT, `${THERE} masq`],
    ["at another", CLIENT, `${DOCKER0}:30080`, `node ${DOCKER0}:30080`],
  ],
);

describeFlows(
  "a NodePort not at localhost",
  { services: [nodePort()], slices: [remote], config: { iptables: { localhostNodePorts: false } } },
  [
    ["the node's address works", NODE, NODE_PORT, `${THERE} masq`],
    ["localhost does not", "127.0.0.1", "127.0.0.1:30080", "node 127.0.0.1:30080"],
  ],
);

describeFlows("externalTrafficPolicy: Local at a NodePort", { services: [nodePort(LOCAL)], slices: [both] }, [
  ["a client keeps its address and meets the endpoint here", CLIENT, NODE_PORT, HERE],
  ["another node is a client too", "10.1.96.233", NODE_PORT, HERE],
  ["a pod here goes as to the ClusterIP", LOCAL_POD, NODE_PORT, `${THERE} | ${HERE}`],
  ["the node itself goes anywhere, masqueraded", NODE, NODE_PORT, `${THERE} masq | ${HERE} masq`],
  ["the ClusterIP knows no such policy", CLIENT, VIP, `${THERE} masq | ${HERE} masq`],
]);

describeFlows(
  "externalTrafficPolicy: Local without an endpoint here",
  { services: [nodePort(LOCAL)], slices: [remote] },
  [
    ["dropped for a client", CLIENT, NODE_PORT, "dropped"],
    ["not for a pod here", LOCAL_POD, NODE_PORT, THERE],
    ["nor for the node itself", NODE, NODE_PORT, `${THERE} masq`],
  ],
);

describeFlows(
  "externalTrafficPolicy: Local without any endpoint",
  { services: [nodePort(LOCAL)], slices: [none] },
  [
    ["rejected for a client", CLIENT, NODE_PORT, "rejected"],
    ["and for a pod", LOCAL_POD, NODE_PORT, "rejected"],
  ],
);

describeFlows("a load balancer", { services: [loadBalancer()], slices: [both] }, [
  ["its address as the node gets it from a client", CLIENT, LB, `${THERE} masq | ${HERE} masq`],
  ["a pod is masqueraded too", LOCAL_POD, LB, `${THERE} masq | ${HERE} masq`],
  ["and the node", NODE, LB, `${THERE} masq | ${HERE} masq`],
  ["its NodePort", CLIENT, NODE_PORT, `${THERE} masq | ${HERE} masq`],
  ["another port of its address passes through", CLIENT, "203.0.113.10:81", "203.0.113.10:81"],
]);

describeFlows("a load balancer without endpoints", { services: [loadBalancer()], slices: [none] }, [
  ["rejected", CLIENT, LB, "rejected"],
  ["at the NodePort", CLIENT, NODE_PORT, "rejected"],
]);

const ranges = { loadBalancerSourceRanges: ["203.0.113.0/28", "192.168.97.0/24"] };
describeFlows("a load balancer with source ranges", { services: [loadBalancer(ranges)], slices: [remote] }, [
  ["a client within", CLIENT, LB, `${THERE} masq`],
  ["a client outside is dropped", "203.0.113.200", LB, "dropped"],
  ["a pod within", LOCAL_POD, LB, `${THERE} masq`],
  ["a pod outside", "192.168.96.2", LB, "dropped"],
  ["the node outside", NODE, LB, "dropped"],
  ["the NodePort is not guarded", "203.0.113.200", NODE_PORT, `${THERE} masq`],
  ["nor the ClusterIP", "203.0.113.200", VIP, `${THERE} masq`],
]);

describeFlows(
  "source ranges with the node in them",
  { services: [loadBalancer({ loadBalancerSourceRanges: ["10.1.96.0/24"] })], slices: [remote] },
  [
    ["let the node in", NODE, LB, `${THERE} masq`],
    ["and what it sends from the load balancer's own address", "203.0.113.10", LB, `${THERE} masq`],
    ["but no client", CLIENT, LB, "dropped"],
  ],
);

describeFlows(
  "a load balancer, externalTrafficPolicy: Local",
  { services: [loadBalancer(LOCAL)], slices: [both] },
  [
    ["a client keeps its address", CLIENT, LB, HERE],
    ["a pod goes as to the ClusterIP", LOCAL_POD, LB, `${THERE} | ${HERE}`],
    ["the node is masqueraded", NODE, LB, `${THERE} masq | ${HERE} masq`],
  ],
);

describeFlows(
  "a load balancer, externalTrafficPolicy: Local, source ranges",
  { services: [loadBalancer({ ...LOCAL, ...ranges })], slices: [both] },
  [
    ["a client within", CLIENT, LB, HERE],
    ["a client outside", "203.0.113.200", LB, "dropped"],
    ["a pod within", LOCAL_POD, LB, `${THERE} | ${HERE}`],
  ],
);

describeFlows(
  "a load balancer, externalTrafficPolicy: Local, no endpoint here",
  { services: [loadBalancer(LOCAL)], slices: [remote] },
  [
    ["a client", CLIENT, LB, "dropped"],
    ["a pod", LOCAL_POD, LB, THERE],
    ["the health check is let in", CLIENT, `${NODE}:31234`, `node ${NODE}:31234`],
  ],
);

const local = (...endpoints: string[]) => ({ services: [loadBalancer(LOCAL)], slices: [slice(endpoints)] });

describeFlows(
  "externalTrafficPolicy: Local, one endpoint here ready, one terminating",
  local("192.168.97.5 local", "192.168.97.6 local terminating", "192.168.96.4"),
  [["the ready one alone", CLIENT, LB, HERE]],
);

describeFlows(
  "externalTrafficPolicy: Local, the endpoints here all terminating",
  local("192.168.97.5 local terminating", "192.168.97.6 local terminating unserving", "192.168.96.4"),
  [
    ["a client still meets one that serves", CLIENT, LB, HERE],
    ["the ClusterIP has a ready one elsewhere", LOCAL_POD, VIP, THERE],
    ["a pod at the load balancer's address too", LOCAL_POD, LB, THERE],
  ],
);

describeFlows(
  "externalTrafficPolicy: Local, nothing here that serves",
  local("192.168.97.5 local terminating unserving", "192.168.96.4"),
  [
    ["a client is dropped", CLIENT, LB, "dropped"],
    ["a pod is not", LOCAL_POD, LB, THERE],
  ],
);

const withExternal = (over: Partial<ServiceSpec> = {}) => service({ externalIPs: ["198.51.100.7"], ...over });

describeFlows("an external address", { services: [withExternal()], slices: [both] }, [
  ["a client is masqueraded", CLIENT, EXTERNAL, `${THERE} masq | ${HERE} masq`],
  ["a pod too", LOCAL_POD, EXTERNAL, `${THERE} masq | ${HERE} masq`],
  ["another port passes through", CLIENT, "198.51.100.7:81", "198.51.100.7:81"],
]);

describeFlows("an external address without endpoints", { services: [withExternal()], slices: [none] }, [
  ["rejected", CLIENT, EXTERNAL, "rejected"],
]);

describeFlows(
  "an external address, externalTrafficPolicy: Local",
  {
    services: [
      withExternal({ type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }], ...LOCAL }),
    ],
    slices: [both],
  },
  [
    ["a client keeps its address", CLIENT, EXTERNAL, HERE],
    ["a pod goes as to the ClusterIP", LOCAL_POD, EXTERNAL, `${THERE} | ${HERE}`],
  ],
);
