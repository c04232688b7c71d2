import { exploreTrace, type TraceSet } from "../../analysis/explore/trace-set.ts";
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { PodModel } from "../../cluster/objects/model.ts";
import type { TraceRequest } from "../../trace/request.ts";
import { LawBroken } from "./law.ts";

/** A Service port as it is asked for: `svc/NAMESPACE/NAME:PORT`. */
interface ServicePortRef {
  readonly to: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** `NAMESPACE/NAME` of the pods that should answer, in order. */
  readonly endpoints: readonly string[];
  readonly affinity: boolean;
}

/** The Service ports with a cluster IP, each with the pods that should answer by the endpoint slices. */
function servicePorts({ model }: SimulatedCluster): ServicePortRef[] {
  const podByAddress = new Map(model.pods.map((pod) => [pod.ip, `${pod.namespace}/${pod.name}`]));
  return model.services.flatMap(({ metadata, spec }) => {
    const namespace = metadata?.namespace ?? "default";
    const name = metadata?.name ?? "";
    if (spec?.clusterIP === undefined || spec.clusterIP === "None" || spec.internalTrafficPolicy === "Local")
      return [];
    return (spec.ports ?? []).map((port) => {
      const ready = model.endpointSlices
        .filter(
          (slice) =>
            slice.metadata?.namespace === namespace &&
            slice.metadata.labels?.["kubernetes.io/service-name"] === name,
        )
        .filter((slice) => slice.ports?.some((p) => (p.name ?? "") === (port.name ?? "")))
        .flatMap((slice) => slice.endpoints.filter(({ conditions }) => conditions?.ready !== false))
        .map(({ addresses }) => podByAddress.get(addresses[0]!) ?? addresses[0]!);
      return {
        to: `svc/${namespace}/${name}:${port.port}`,
        protocol: (port.protocol ?? "TCP").toLowerCase() as "tcp" | "udp" | "sctp",
        endpoints: [...new Set(ready)].sort(),
        affinity: spec.sessionAffinity === "ClientIP",
      };
    });
  });
}

const sourceOf = (pod: PodModel): string => `pod/${pod.namespace}/${pod.name}`;

/** Every branch of a question, each into the cluster as it stands. */
const branches = (cluster: SimulatedCluster, request: TraceRequest): TraceSet["branches"] =>
  exploreTrace(cluster, request).branches;

/**
 * From every pod, whatever chance decides, a Service's packet comes to one of its ready pods and the answer comes back;
 * and every ready pod is among them.
 *
 * @throws LawBroken with the trace of a packet that did not.
 */
export function everyReadyEndpointReachable(cluster: SimulatedCluster): void {
  for (const { to, protocol, endpoints } of servicePorts(cluster)) {
    if (endpoints.length === 0) continue;
    for (const pod of cluster.model.pods) {
      const reached = new Set<string>();
      for (const { trace } of branches(cluster, { from: sourceOf(pod), to, protocol })) {
        const by = trace.delivered?.pod ?? null;
        if (
          trace.verdict !== "delivered" ||
          trace.reply?.verdict !== "delivered" ||
          by === null ||
          !endpoints.includes(by)
        )
          throw new LawBroken(
            `${sourceOf(pod)} to ${to}: one of ${endpoints.join(", ")} should have answered`,
            trace,
          );
        reached.add(by);
      }
      const missed = endpoints.filter((name) => !reached.has(name));
      if (missed.length > 0)
        throw new LawBroken(`${sourceOf(pod)} to ${to} never reaches ${missed.join(", ")}`);
    }
  }
}

/** How far a probability may be from 1/n: kube-proxy writes it with ten digits, the kernel rounds it to 2⁻³¹, n times. */
const ROUNDING = 1e-7;

/**
 * A Service's ready pods are chosen equally often, from every pod.
 *
 * @throws LawBroken with the shares when they are not.
 */
export function loadIsUniform(cluster: SimulatedCluster): void {
  for (const { to, protocol, endpoints } of servicePorts(cluster)) {
    if (endpoints.length === 0) continue;
    for (const pod of cluster.model.pods) {
      const shares = new Map<string, number>();
      for (const { trace, probability } of branches(cluster, { from: sourceOf(pod), to, protocol })) {
        const by = trace.delivered?.pod ?? trace.verdict;
        shares.set(by, (shares.get(by) ?? 0) + probability);
      }
      const unfair = endpoints.filter(
        (name) => Math.abs((shares.get(name) ?? 0) - 1 / endpoints.length) > ROUNDING,
      );
      if (unfair.length === 0) continue;
      const text = [...shares].map(([name, share]) => `${name} ${share.toFixed(4)}`).join(", ");
      throw new LawBroken(
        `${sourceOf(pod)} to ${to}: each of ${endpoints.length} pods should have an equal share, not ${text}`,
      );
    }
  }
}
