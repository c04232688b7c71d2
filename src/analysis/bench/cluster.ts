import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { buildNetwork } from "../../cluster/build/network.ts";
import type { IpvsScheduler, ProxyMode } from "../../cluster/objects/kube-proxy-configuration.ts";
import type { Netns } from "../../linux/netns.ts";
import { parseIpv4 } from "../../packet/address.ts";
import { loadTopology } from "../../topology/load/load.ts";

/** What is measured: one number of Services, with so many endpoints each, under one mode of kube-proxy. */
export interface Combination {
  readonly services: number;
  readonly endpoints: number;
  readonly mode: ProxyMode;
  readonly scheduler: IpvsScheduler;
  /** Endpoints on the client's node, as where the kernel was measured, or on another. */
  readonly placement: "same-node" | "other-node";
  readonly seed: number;
}

/** A cluster to send packets in. */
export interface BenchCluster {
  readonly cluster: SimulatedCluster;
  readonly client: Netns;
  /** Cluster IPs as unsigned integers, in the order of the Services' rules. */
  readonly addresses: readonly number[];
}

/** UDP port of every Service. */
export const SERVICE_PORT = 80;
const TARGET_PORT = 8080;
const CLIENT_NODE = "node-1";

/** One client pod, `endpoints` server pods, and `services` Services that all select them: rules depend on numbers alone. */
function benchTopology({ services, endpoints, mode, scheduler, placement }: Combination): string {
  const pod = (name: string, nodeName: string, labels: object, ports: readonly object[]): object => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels },
    spec: { nodeName, containers: [{ name: "main", ports }] },
  });
  const node = (name: string, podCIDR: string): object => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    spec: { podCIDR },
  });
  const home = placement === "same-node" ? CLIENT_NODE : "node-2";
  const ports = [{ containerPort: TARGET_PORT, protocol: "UDP" }];
  const items = [
    {
      apiVersion: "podpath.dev/v1alpha1",
      kind: "Cluster",
      metadata: { name: "bench" },
      spec: {
        serviceCIDR: "10.192.0.0/12",
        flannel: { Network: "10.0.0.0/16", SubnetLen: 22, Backend: { Type: "host-gw" } },
      },
    },
    {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode,
      clusterCIDR: "10.0.0.0/16",
      ipvs: { scheduler },
    },
    node(CLIENT_NODE, "10.0.4.0/22"),
    ...(placement === "same-node" ? [] : [node("node-2", "10.0.8.0/22")]),
    pod("client", CLIENT_NODE, {}, []),
    ...Array.from({ length: endpoints }, (_, i) => pod(`web-${i}`, home, { app: "web" }, ports)),
    ...Array.from({ length: services }, (_, i) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `web-${String(i).padStart(6, "0")}` },
      spec: {
        selector: { app: "web" },
        ports: [{ port: SERVICE_PORT, targetPort: TARGET_PORT, protocol: "UDP" }],
      },
    })),
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** Builds it. Servers do not answer: one packet is one packet. */
export function benchCluster(combination: Combination): BenchCluster {
  const { model } = loadTopology([{ file: "bench", text: benchTopology(combination) }]);
  const cluster = buildNetwork(model, { seed: combination.seed });
  for (const netns of cluster.network.namespaces.values())
    for (const listener of netns.sockets.listeners) listener.respondBytes = 0;
  return {
    cluster,
    client: cluster.network.netns(`${CLIENT_NODE}/default/client`),
    addresses: model.services.map(({ spec }) => parseIpv4(spec?.clusterIP ?? "")),
  };
}
