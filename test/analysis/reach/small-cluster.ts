import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import type { ClusterModel } from "../../../src/cluster/objects/model.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";

const pod = (name: string, node: number, ip: string, labels = "", ports = "") =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {${labels}}}, spec: {nodeName: n${node}, containers: [{name: c, image: i, ports: [${ports}]}]}, status: {podIP: ${ip}}}`;

/** Two nodes, three clients on each, a web server on each, a host; Services of every kind. */
export const SMALL = [
  "{apiVersion: podpath.dev/v1alpha1, kind: Cluster, metadata: {name: small}, spec: {flannel: {Network: 10.244.0.0/16, Backend: {Type: vxlan}}}}",
  "{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: outside}, spec: {address: 10.0.0.9/24, gateway: 10.0.0.1}}",
  ...[1, 2].map(
    (i) =>
      `{apiVersion: v1, kind: Node, metadata: {name: n${i}}, spec: {podCIDR: 10.244.${i}.0/24}, status: {addresses: [{type: InternalIP, address: 10.0.0.${i + 1}}]}}`,
  ),
  ...[1, 2].flatMap((i) => [
    ...[2, 3, 4].map((n) => pod(`client-${i}-${n}`, i, `10.244.${i}.${n}`)),
    pod(`web-${i}`, i, `10.244.${i}.10`, "app: web", "{containerPort: 80}"),
  ]),
  pod("dns", 1, "10.244.1.20", "app: dns", "{containerPort: 53, protocol: UDP, hostPort: 5353}"),
  pod("twin", 1, "10.244.1.21", "app: dns", "{containerPort: 53, protocol: UDP}"),
  "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}}",
  "{apiVersion: v1, kind: Service, metadata: {name: local}, spec: {type: NodePort, externalTrafficPolicy: Local, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 81, targetPort: 80, nodePort: 30081}]}}",
  "{apiVersion: v1, kind: Service, metadata: {name: dns}, spec: {selector: {app: dns}, ports: [{port: 53, protocol: UDP}]}}",
  "{apiVersion: v1, kind: Service, metadata: {name: none}, spec: {selector: {app: none}, ports: [{port: 80}]}}",
].join("\n---\n");

const smallModel: ClusterModel = loadTopology([{ file: "small.yaml", text: SMALL }]).model;

/** The small cluster with kube-proxy in another mode than iptables. */
export const smallClusterInMode = (mode: "nftables" | "ipvs"): SimulatedCluster => {
  const text = `{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: ${mode}}`;
  return buildNetwork(loadTopology([{ file: "small.yaml", text: `${SMALL}\n---\n${text}` }]).model);
};

/** The small cluster, with more rules on its nodes. */
export function smallCluster(rules: ReadonlyMap<string, string> = new Map()): SimulatedCluster {
  const cluster = buildNetwork(smallModel, { seed: 1 });
  for (const [node, text] of rules) cluster.node(node).netns.netfilter.load(text, { noflush: true });
  return cluster;
}
