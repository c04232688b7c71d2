/** Histories of a UDP client that keeps its source port, and a Service whose endpoints change meanwhile. */
import type { SimulatedCluster } from "../../../cluster/build/cluster.ts";
import type { ClusterModel, PodModel } from "../../../cluster/objects/model.ts";
import { send } from "../../../trace/send.ts";
import type { Trace } from "../../../trace/trace.ts";
import { freeAddress, podRef, sandboxPods } from "../cast.ts";
import { moveEndpoints } from "../edit.ts";
import type { ServiceTarget } from "../service-target.ts";

/** The client's one source port. */
export const SOURCE_PORT = 40053;
const SECOND_US = 1_000_000;

/** A pod that asks the Service, preferably from another node than the endpoint's; else another node. Null when alone. */
export function askerOf(model: ClusterModel, { endpoints }: ServiceTarget): string | null {
  const homes = new Set(endpoints.map(({ nodeName }) => nodeName));
  const own = new Set(endpoints.map(({ ip }) => ip));
  const pods = sandboxPods(model).filter(({ ip }) => !own.has(ip));
  const pod = pods.find(({ nodeName }) => !homes.has(nodeName)) ?? pods[0];
  if (pod !== undefined) return podRef(pod);
  const node = model.nodes.find(({ name }) => !homes.has(name)) ?? model.nodes[0];
  return node === undefined ? null : `node/${node.name}`;
}

/** The client asks once more from the same port. */
export const ask = (cluster: SimulatedCluster, from: string, { ref }: ServiceTarget): Trace =>
  send(cluster, { from, to: ref, protocol: "udp", sourcePort: SOURCE_PORT });

/** The cluster is now that model, and a second has gone by. */
export function changeTo(cluster: SimulatedCluster, model: ClusterModel): void {
  cluster.update(model);
  cluster.network.advance(SECOND_US);
}

/** The pod is redeployed: it goes, and an equal one with another name and address comes in its place. Null without a free address. */
export function redeploy(model: ClusterModel, pod: PodModel): ClusterModel | null {
  const node = model.nodes.find(({ name }) => name === pod.nodeName);
  const ip = node === undefined ? null : freeAddress(model, node.podCIDR);
  if (ip === null) return null;
  const pods = model.pods.map((one) => (one === pod ? { ...pod, name: `${pod.name}-redeployed`, ip } : one));
  return moveEndpoints({ ...model, pods }, new Map([[pod.ip, ip]]));
}
