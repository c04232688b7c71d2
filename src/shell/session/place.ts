/** Machines and pods that commands are typed at. */
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { Netns } from "../../linux/netns.ts";

/** Where a command runs. `pod` is set inside a pod's container. */
export interface Place {
  readonly name: string;
  readonly kind: "node" | "host" | "pod";
  readonly netns: Netns;
  readonly pod: { readonly namespace: string; readonly name: string } | null;
}

/** The machine of that name or address; null when there is none. */
export function machine(cluster: SimulatedCluster, name: string): Place | null {
  const { model, nodes, hosts } = cluster;
  const node = model.nodes.find((one) => one.name === name || one.internalIP === name);
  if (node !== undefined)
    return { name: node.name, kind: "node", netns: nodes.get(node.name)!.netns, pod: null };
  const host = model.hosts.find(
    (one) =>
      one.name === name || one.nics.some(({ addresses }) => addresses.some((a) => a.split("/")[0] === name)),
  );
  if (host === undefined) return null;
  return { name: host.name, kind: "host", netns: hosts.get(host.name)!, pod: null };
}

/** A pod's network; null when the pod has none now. */
export function insidePod(cluster: SimulatedCluster, namespace: string, name: string): Place | null {
  const pod = cluster.pod(namespace, name);
  return pod === null ? null : { name, kind: "pod", netns: pod.netns, pod: { namespace, name } };
}

/** The names of all machines, masters first. */
export function machineNames({ model }: SimulatedCluster): string[] {
  const names = [...model.nodes, ...model.hosts].map(({ name }) => name);
  return [...names.filter(isMaster), ...names.filter((name) => !isMaster(name))];
}

const isMaster = (name: string): boolean => name.includes("master");

/** The machine a session begins at: a master, otherwise the first node. */
export function firstMachine(cluster: SimulatedCluster): Place {
  const [name] = machineNames(cluster);
  const place = machine(cluster, name ?? "");
  if (place === null) throw new RangeError("the cluster has no machine");
  return place;
}
