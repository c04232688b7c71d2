/** docker's containers, as `docker inspect` knows them. */
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { dockerInspect } from "../../topology/export/docker-inspect.ts";

/** What of `docker inspect` the commands here read. */
export interface DockerContainer {
  readonly Id: string;
  readonly Name: string;
  readonly Config: { readonly Image: string; readonly Labels: Readonly<Record<string, string>> };
}

/** All containers on a node. */
export const containersOn = (cluster: SimulatedCluster, node: string): DockerContainer[] =>
  JSON.parse(dockerInspect(cluster, node)) as DockerContainer[];

const labelOf = ({ Config }: DockerContainer, name: string): string =>
  Config.Labels[`io.kubernetes.${name}`] ?? "";

/** The pod and the container's name in it; `POD` for the pause container. */
export function belongsTo(container: DockerContainer): { namespace: string; pod: string; container: string } {
  return {
    namespace: labelOf(container, "pod.namespace"),
    pod: labelOf(container, "pod.name"),
    container: labelOf(container, "container.name"),
  };
}

/** A pod's container; null when it does not run. */
export function findContainer(
  cluster: SimulatedCluster,
  namespace: string,
  pod: string,
  container: string,
): DockerContainer | null {
  const node = cluster.pod(namespace, pod)?.node.model.name;
  if (node === undefined) return null;
  const found = containersOn(cluster, node).find((one) => {
    const of = belongsTo(one);
    return of.namespace === namespace && of.pod === pod && of.container === container;
  });
  return found ?? null;
}
