import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { type BuildOptions, buildNetwork } from "../../../src/cluster/build/network.ts";
import type { ClusterModel } from "../../../src/cluster/objects/model.ts";
import type { DeliverEvent, NetworkEvent } from "../../../src/linux/recorder.ts";
import { formatIpv4, parseIpv4 } from "../../../src/packet/address.ts";
import type { Packet } from "../../../src/packet/packet.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";

/**
 * Two nodes and an outside host on one segment; `a` and `a2` on node1, `b` with a web server, a DNS server and a
 * published port on node2.
 */
export const clusterYaml = (backend: string, spec = ""): string => `
apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: test}
spec:
  serviceCIDR: 10.96.0.0/16
  flannel: {Network: 192.168.0.0/16, Backend: {Type: ${backend}}}
  segments: [{name: lan, subnet: 10.1.96.0/24, gateway: 10.1.96.1}]
${spec}
---
{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: client}, spec: {address: 10.1.96.10/24, gateway: 10.1.96.1, listen: [8080]}}
---
{apiVersion: v1, kind: Node, metadata: {name: node1}, spec: {podCIDR: 192.168.97.0/24}, status: {addresses: [{type: InternalIP, address: 10.1.96.232}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: node2}, spec: {podCIDR: 192.168.96.0/24}, status: {addresses: [{type: InternalIP, address: 10.1.96.233}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {nodeName: node1, containers: [{name: shell}]}, status: {podIP: 192.168.97.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a2}, spec: {nodeName: node1, containers: [{name: shell}]}, status: {podIP: 192.168.97.3}}
---
apiVersion: v1
kind: Pod
metadata: {name: b, labels: {app: b}}
spec:
  nodeName: node2
  containers:
    - {name: web, ports: [{containerPort: 80, hostPort: 8081}]}
    - {name: dns, ports: [{containerPort: 53, protocol: UDP}]}
status: {podIP: 192.168.96.2}
---
apiVersion: v1
kind: Service
metadata: {name: b}
spec: {type: NodePort, clusterIP: 10.96.0.10, selector: {app: b}, ports: [{name: web, port: 80, nodePort: 30080}, {name: dns, port: 53, protocol: UDP, nodePort: 30053}]}
`;

/** The model of a topology's text. */
export const modelOf = (text: string): ClusterModel => loadTopology([{ file: "test.yaml", text }]).model;

export const build = (text: string, options?: BuildOptions): SimulatedCluster =>
  buildNetwork(modelOf(text), options);

/** What became of one packet, in one line a happening that ends something. */
export interface Outcome {
  /** `NETNS OWNER SOURCE>DESTINATION ttl N` of the first delivery that is not flannel's (`flanneld`, `flannel.1`). */
  readonly delivered: string | null;
  /** `NETNS REASON FUNCTION` of the first packet that ended. */
  readonly dropped: string | null;
  /** `TYPE/CODE from ADDRESS` of an ICMP error that was delivered to the sender. */
  readonly icmp: string | null;
  readonly events: readonly NetworkEvent[];
}

const SOURCE_PORT = 40000;

/** Sends one UDP datagram from a namespace and lets the network come to rest. */
export function sendUdp(
  { network }: SimulatedCluster,
  from: string,
  to: string,
  { ttl, size = 10 }: { ttl?: number; size?: number } = {},
): Outcome {
  const [address = "", port = ""] = to.split(":");
  return watch(network, from, () => {
    network.netns(from).sockets.udp.send({
      destination: parseIpv4(address),
      destinationPort: Number(port),
      sourcePort: SOURCE_PORT,
      payloadLength: size,
      ...(ttl === undefined ? {} : { ttl }),
    });
  });
}

/** Opens a TCP connection from a namespace and lets the network come to rest. */
export function connect(
  { network }: SimulatedCluster,
  from: string,
  to: string,
  sourcePort = SOURCE_PORT,
): Outcome {
  const [address = "", port = ""] = to.split(":");
  return watch(network, from, () => {
    network
      .netns(from)
      .sockets.tcp.connect({ destination: parseIpv4(address), destinationPort: Number(port), sourcePort });
  });
}

/** Sends one echo request. */
export function ping({ network }: SimulatedCluster, from: string, to: string, ttl = 64): Outcome {
  return watch(network, from, () => {
    network
      .netns(from)
      .sockets.ping.send({ destination: parseIpv4(to), id: 7, sequence: 1, payloadLength: 56, ttl });
  });
}

function watch(network: SimulatedCluster["network"], from: string, act: () => void): Outcome {
  const events: NetworkEvent[] = [];
  network.recorder = { record: (event) => void events.push(event) };
  act();
  network.settle();
  network.recorder = null;
  const request = events.find(
    (event) => event.type === "deliver" && !event.owner?.startsWith("flannel") && !isError(event.packet),
  );
  const error = events.find(
    (event) =>
      event.type === "device" && event.direction === "rx" && event.netns === from && isError(event.packet),
  );
  const drop = events.find((event) => event.type === "drop" && event.reason !== "OTHERHOST");
  return {
    delivered: request?.type === "deliver" ? describeDelivery(request) : null,
    dropped: drop?.type === "drop" ? `${drop.netns} ${drop.reason} ${drop.location}` : null,
    icmp: error?.type === "device" ? describeError(error.packet) : null,
    events,
  };
}

const isError = ({ protocol, icmpType }: Packet): boolean =>
  protocol === 1 && (icmpType === 3 || icmpType === 5 || icmpType === 11);

const describeDelivery = ({ netns, owner, packet }: DeliverEvent): string =>
  `${netns} ${owner} ${formatIpv4(packet.src)}>${formatIpv4(packet.dst)}:${packet.dport} ttl ${packet.ttl}`;

const describeError = ({ icmpType, icmpCode, src }: Packet): string =>
  `${icmpType}/${icmpCode} from ${formatIpv4(src)}`;
