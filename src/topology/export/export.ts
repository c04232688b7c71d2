import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { bridgeFdb } from "./bridge-fdb.ts";
import { conntrackList } from "./conntrack.ts";
import { dockerInspect } from "./docker-inspect.ts";
import { ipAddr } from "./ip-addr.ts";
import { ipNeigh } from "./ip-neigh.ts";
import { ipRoute } from "./ip-route.ts";

/** The formats in which a node's state can be had, named after the tool that prints it so. */
export const EXPORT_FORMATS = [
  "iptables-save",
  "kube-proxy",
  "ip-addr",
  "ip-route",
  "ip-neigh",
  "bridge-fdb",
  "conntrack",
  "docker-inspect",
] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * A node's state as the real tool prints it on that node.
 *
 * @throws RangeError when the cluster has no such node.
 */
export function exportNode(cluster: SimulatedCluster, node: string, format: ExportFormat): string {
  const { netns } = cluster.node(node);
  switch (format) {
    case "iptables-save":
      return netns.netfilter.save();
    case "kube-proxy":
      return cluster.kubeProxyRestore(node);
    case "ip-addr":
      return ipAddr(netns);
    case "ip-route":
      return ipRoute(netns);
    case "ip-neigh":
      return ipNeigh(netns);
    case "bridge-fdb":
      return bridgeFdb(netns);
    case "conntrack":
      return conntrackList(netns);
    case "docker-inspect":
      return dockerInspect(cluster, node);
  }
}
