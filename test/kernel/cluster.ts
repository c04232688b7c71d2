import type { ClusterModel } from "../../src/cluster/objects/model.ts";
import type { FlowRequest } from "../../src/lab/agent.ts";
import type { VerifiedFlow } from "../../src/lab/session.ts";
import { loadTopology } from "../../src/topology/load/load.ts";
import type { Backend } from "./random-topology.ts";

/** Two nodes, a client and the gateway; `a` on n1, `b` and `c` on n2: b serves HTTP and DNS, c HTTP. */
export const clusterModel = (backend: Backend, spec = "", docker = ""): ClusterModel =>
  loadTopology([
    {
      file: "kernel.yaml",
      text: `
apiVersion: podpath.dev/v1alpha1
kind: Cluster
metadata: {name: kernel}
spec:
  serviceCIDR: 10.96.0.0/16
  flannel: {Network: 192.168.0.0/16, Backend: {Type: ${backend}}}
  segments: [{name: lan, subnet: 10.1.96.0/24, gateway: 10.1.96.1}]
  node: {docker: {forwardPolicy: ACCEPT${docker}}}
${spec}
---
{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: gw}, spec: {address: 10.1.96.1/24, sysctl: {net.ipv4.ip_forward: 1}}}
---
{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: client}, spec: {address: 10.1.96.10/24, gateway: 10.1.96.1}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 192.168.97.0/24}, status: {addresses: [{type: InternalIP, address: 10.1.96.232}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 192.168.96.0/24}, status: {addresses: [{type: InternalIP, address: 10.1.96.233}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {nodeName: n1, containers: [{name: shell}]}, status: {podIP: 192.168.97.2}}
---
apiVersion: v1
kind: Pod
metadata: {name: b, labels: {app: b}}
spec:
  nodeName: n2
  containers:
    - {name: web, ports: [{containerPort: 80, hostPort: 8081}]}
    - {name: dns, ports: [{containerPort: 53, protocol: UDP}]}
status: {podIP: 192.168.96.2}
---
{apiVersion: v1, kind: Pod, metadata: {name: c}, spec: {nodeName: n2, containers: [{name: web, ports: [{containerPort: 80}]}]}, status: {podIP: 192.168.96.3}}
---
apiVersion: v1
kind: Service
metadata: {name: b}
spec: {type: NodePort, clusterIP: 10.96.0.10, selector: {app: b}, ports: [{name: web, port: 80, nodePort: 30080}, {name: dns, port: 53, protocol: UDP, nodePort: 30053}]}
---
{apiVersion: v1, kind: Service, metadata: {name: none}, spec: {clusterIP: 10.96.0.99, selector: {app: nobody}, ports: [{port: 80}]}}
`,
    },
  ]).model;

export const A = "n1/default/a";
export const B = "n2/default/b";
export const C = "n2/default/c";

let port = 11_000;

/** A flow with what is usual filled in, from a port of its own. */
export function flow(
  from: string,
  protocol: FlowRequest["protocol"],
  to: string,
  options: Partial<FlowRequest> = {},
): FlowRequest {
  const [destination = "", number = "0"] = to.split(":");
  port++;
  return {
    from,
    protocol,
    destination,
    port: Number(number),
    sourcePort: port,
    size: protocol === "tcp" ? 0 : 10,
    discovery: "want",
    timeoutMs: 150,
    ...options,
  };
}

/** Three ARP requests, and a little. */
export const ARP_MS = 3300;

/** Differences in one text, for a test to show; empty when there are none. */
export const differencesOf = ({ differences }: VerifiedFlow): string =>
  differences
    .map(({ field, kernel, podpath }) => `${field}\n kernel  ${kernel}\n podpath ${podpath}`)
    .join("\n");

/** How it ended in the kernel: `delivered`, or the verdict with the ICMP error that came back. */
export function endOf({ kernel }: VerifiedFlow): string {
  const { verdict, icmp } = kernel;
  if (icmp === null) return verdict;
  return `${verdict} ${icmp.type}/${icmp.code} from ${icmp.from}${icmp.mtu === null ? "" : ` mtu ${icmp.mtu}`}`;
}
