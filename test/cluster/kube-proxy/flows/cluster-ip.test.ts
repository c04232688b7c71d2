import { nodePort, service, slice } from "../cluster.ts";
import { describeFlows, type FlowRow } from "./node.ts";

const LOCAL_POD = "192.168.97.2";
const REMOTE_POD = "192.168.96.2";
const NODE = "10.1.96.232";
const OTHER_NODE = "10.1.96.233";
const CLIENT = "203.0.113.9";
const VIP = "10.0.0.10:80";
const HERE = "192.168.97.5:8080";
const THERE = "192.168.96.4:8080";

const both = slice(["192.168.97.5 local", "192.168.96.4"]);

describeFlows("a ClusterIP with an endpoint on either node", { services: [service()], slices: [both] }, [
  ["a pod here keeps its address", LOCAL_POD, VIP, `${THERE} | ${HERE}`],
  ["a pod elsewhere too", REMOTE_POD, VIP, `${THERE} | ${HERE}`],
  ["the node is no pod", NODE, VIP, `${THERE} masq | ${HERE} masq`],
  ["another node neither", OTHER_NODE, VIP, `${THERE} masq | ${HERE} masq`],
  ["nor somebody outside", CLIENT, VIP, `${THERE} masq | ${HERE} masq`],
  [
    "an endpoint that meets itself is masqueraded, and only then",
    "192.168.97.5",
    VIP,
    `${THERE} | ${HERE} masq`,
  ],
  ["the endpoint's own address is not kube-proxy's business", LOCAL_POD, HERE, HERE],
  ["another port of the Service's address", LOCAL_POD, "10.0.0.10:81", "10.0.0.10:81"],
  ["another protocol", LOCAL_POD, VIP, "10.0.0.10:80", "udp"],
  ["an address of no Service", LOCAL_POD, "10.0.0.11:80", "10.0.0.11:80"],
]);

describeFlows("a ClusterIP without endpoints", { services: [service()], slices: [slice([])] }, [
  ["rejected for a pod", LOCAL_POD, VIP, "rejected"],
  ["for somebody outside", CLIENT, VIP, "rejected"],
  ["for the node itself", NODE, VIP, "rejected"],
  ["another port is nobody's", LOCAL_POD, "10.0.0.10:81", "10.0.0.10:81"],
]);

describeFlows(
  "endpoints that are not ready",
  { services: [service()], slices: [slice(["192.168.97.5 local unready", "192.168.96.4"])] },
  [["are passed over", LOCAL_POD, VIP, THERE]],
);

describeFlows(
  "endpoints of which none is ready",
  { services: [service()], slices: [slice(["192.168.97.5 local unready"])] },
  [["are none", LOCAL_POD, VIP, "rejected"]],
);

describeFlows(
  "endpoints that terminate, beside ready ones",
  { services: [service()], slices: [slice(["192.168.97.5 local terminating", "192.168.96.4"])] },
  [["are passed over", LOCAL_POD, VIP, THERE]],
);

describeFlows(
  "endpoints that all terminate",
  {
    services: [service()],
    slices: [slice(["192.168.97.5 local terminating", "192.168.96.4 terminating unserving"])],
  },
  [["still get traffic as long as they serve", LOCAL_POD, VIP, HERE]],
);

const SCTP = { port: 80, protocol: "SCTP" };
describeFlows(
  "UDP and SCTP",
  {
    services: [
      service({
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { ...SCTP, name: "sctp" },
        ],
      }),
    ],
    slices: [
      slice(["192.168.96.4"], {
        ports: [
          { name: "dns", port: 5353, protocol: "UDP" },
          { name: "sctp", port: 8080, protocol: "SCTP" },
        ],
      }),
    ],
  },
  [
    ["a datagram", LOCAL_POD, "10.0.0.10:53", "192.168.96.4:5353", "udp"],
    ["a datagram of the node's", NODE, "10.0.0.10:53", "192.168.96.4:5353 masq", "udp"],
    ["an association", LOCAL_POD, VIP, "192.168.96.4:8080", "sctp"],
    ["TCP at the UDP port", LOCAL_POD, "10.0.0.10:53", "10.0.0.10:53"],
  ],
);

describeFlows(
  "masqueradeAll",
  { services: [service()], slices: [both], config: { iptables: { masqueradeAll: true } } },
  [
    ["masquerades pods too", LOCAL_POD, VIP, `${THERE} masq | ${HERE} masq`],
    ["and everybody else", CLIENT, VIP, `${THERE} masq | ${HERE} masq`],
    ["but not what goes to a pod's own address", LOCAL_POD, HERE, HERE],
  ],
);

const detecting = (title: string, config: object, rows: readonly FlowRow[]): void =>
  describeFlows(
    `local pods known by ${title}`,
    { services: [service()], slices: [slice(["192.168.96.4"])], config },
    rows,
  );

detecting("the cluster's CIDR", { detectLocalMode: "ClusterCIDR", clusterCIDR: "192.168.0.0/16" }, [
  ["a pod here", LOCAL_POD, VIP, THERE],
  ["a pod elsewhere", REMOTE_POD, VIP, THERE],
  ["the node", NODE, VIP, `${THERE} masq`],
]);

detecting("no CIDR at all: nobody is masqueraded", { detectLocalMode: "ClusterCIDR", clusterCIDR: "" }, [
  ["a pod here", LOCAL_POD, VIP, THERE],
  ["somebody outside", CLIENT, VIP, THERE],
  ["the endpoint itself still is", "192.168.96.4", VIP, `${THERE} masq`],
]);

detecting("the node's CIDR", { detectLocalMode: "NodeCIDR" }, [
  ["a pod here", LOCAL_POD, VIP, THERE],
  ["a pod elsewhere is a stranger", REMOTE_POD, VIP, `${THERE} masq`],
  ["the node", NODE, VIP, `${THERE} masq`],
]);

detecting("a bridge", { detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "docker0" } }, [
  ["what comes by it", LOCAL_POD, VIP, THERE],
  ["what comes by another device", REMOTE_POD, VIP, `${THERE} masq`],
  ["the node, which comes by none", NODE, VIP, `${THERE} masq`],
]);

detecting(
  "the beginning of a device's name",
  { detectLocalMode: "InterfaceNamePrefix", detectLocal: { interfaceNamePrefix: "dock" } },
  [
    ["what comes by such a device", LOCAL_POD, VIP, THERE],
    ["what comes by another", CLIENT, VIP, `${THERE} masq`],
  ],
);

describeFlows(
  "internalTrafficPolicy: Local",
  { services: [service({ internalTrafficPolicy: "Local" })], slices: [both] },
  [
    ["a pod here meets the endpoint here alone", LOCAL_POD, VIP, HERE],
    ["so does the node, masqueraded as always", NODE, VIP, `${HERE} masq`],
    ["the endpoint itself is", "192.168.97.5", VIP, `${HERE} masq`],
  ],
);

describeFlows(
  "internalTrafficPolicy: Local without an endpoint here",
  { services: [service({ internalTrafficPolicy: "Local" })], slices: [slice(["192.168.96.4"])] },
  [
    ["dropped for a pod", LOCAL_POD, VIP, "dropped"],
    ["and for the node", NODE, VIP, "dropped"],
  ],
);

describeFlows(
  "internalTrafficPolicy: Local without any endpoint",
  { services: [service({ internalTrafficPolicy: "Local" })], slices: [slice([])] },
  [["rejected", LOCAL_POD, VIP, "rejected"]],
);

describeFlows(
  "internalTrafficPolicy: Local, the endpoint here terminating",
  {
    services: [service({ internalTrafficPolicy: "Local" })],
    slices: [slice(["192.168.97.5 local terminating", "192.168.96.4"])],
  },
  [["it serves on, whatever is ready elsewhere", LOCAL_POD, VIP, HERE]],
);

describeFlows(
  "internalTrafficPolicy: Local does not concern the NodePort",
  { services: [nodePort({ internalTrafficPolicy: "Local" })], slices: [slice(["192.168.96.4"])] },
  [
    ["which goes anywhere", CLIENT, `${NODE}:30080`, `${THERE} masq`],
    ["while the ClusterIP does not", LOCAL_POD, VIP, "dropped"],
  ],
);

const zones = (...endpoints: string[]) => ({ services: [service()], slices: [slice(endpoints)] });

describeFlows(
  "topology hints",
  zones("192.168.97.5 local zone=zone-a", "192.168.96.4 zone=zone-b", "192.168.96.6 zone=zone-a,zone-b"),
  [["keep traffic in the node's zone", LOCAL_POD, VIP, `192.168.96.6:8080 | ${HERE}`]],
);

describeFlows(
  "topology hints of which one endpoint has none",
  zones("192.168.97.5 local zone=zone-a", "192.168.96.4"),
  [["do not count", LOCAL_POD, VIP, `${THERE} | ${HERE}`]],
);

describeFlows(
  "topology hints for other zones alone",
  zones("192.168.97.5 local zone=zone-c", "192.168.96.4 zone=zone-b"),
  [["do not count", LOCAL_POD, VIP, `${THERE} | ${HERE}`]],
);

describeFlows(
  "topology hints on a node without a zone",
  { ...zones("192.168.97.5 local zone=zone-a", "192.168.96.4 zone=zone-b"), node: { labels: {} } },
  [["do not count", LOCAL_POD, VIP, `${THERE} | ${HERE}`]],
);
