import { exploreTrace } from "../../analysis/explore/trace-set.ts";
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { ingressAddresses } from "../../cluster/build/load-balancer.ts";
import type { TraceRequest } from "../../trace/request.ts";
import { LawBroken } from "./law.ts";

/**
 * Translation there and back is the identity: whatever chance decides, an answer that arrives comes from the address
 * and port that were asked.
 *
 * @throws LawBroken with the trace of an answer that did not.
 */
export function natIsInvertible(cluster: SimulatedCluster, request: TraceRequest): void {
  for (const { trace } of exploreTrace(cluster, request).branches) {
    if (trace.verdict !== "delivered") continue;
    const { reply } = trace;
    if (reply === null) throw new LawBroken("a delivered packet should have been answered", trace);
    if (
      reply.verdict === "delivered" &&
      (reply.source !== trace.request.destination || reply.destination !== trace.request.source)
    )
      throw new LawBroken(
        `the answer should come from ${trace.request.destination} to ${trace.request.source}`,
        trace,
      );
    if (reply.verdict !== "delivered" && answersDirectly(trace.delivered!.source, trace.request.source))
      throw new LawBroken("the answer to a packet that arrived with its own source should come back", trace);
  }
}

const answersDirectly = (seen: string, sent: string): boolean => seen === sent;

/**
 * Under externalTrafficPolicy Local the server sees the outside client's own address, at every node port and
 * load-balancer address, in every branch that is delivered.
 *
 * @throws LawBroken with the trace of a packet whose source was changed.
 */
export function sourcePreservedUnderLocalPolicy(cluster: SimulatedCluster): void {
  const { model } = cluster;
  for (const host of model.hosts) {
    for (const service of model.services) {
      const { spec } = service;
      if (spec?.externalTrafficPolicy !== "Local") continue;
      for (const { nodePort, port, protocol = "TCP" } of spec.ports ?? []) {
        const addresses = [
          ...(nodePort === undefined ? [] : model.nodes.map(({ internalIP }) => `${internalIP}:${nodePort}`)),
          ...ingressAddresses(service).map((address) => `${address}:${port}`),
        ];
        for (const to of addresses)
          checkSource(cluster, {
            from: `host/${host.name}`,
            to,
            protocol: protocol.toLowerCase() as "tcp" | "udp" | "sctp",
          });
      }
    }
  }
}

function checkSource(cluster: SimulatedCluster, request: TraceRequest): void {
  for (const { trace } of exploreTrace(cluster, request).branches) {
    if (
      trace.verdict !== "delivered" ||
      trace.delivered!.source.split(":")[0] === trace.request.source.split(":")[0]
    )
      continue;
    throw new LawBroken(
      `${request.from} to ${request.to}: the server should see ${trace.request.source.split(":")[0]}`,
      trace,
    );
  }
}

/**
 * No packet circulates for ever: whatever is sent, the network comes to rest, and no packet crosses more devices than
 * its TTL lets it.
 *
 * @throws LawBroken when one does; the simulator's own storm guard throws before a run becomes endless.
 */
export function noPacketLoops(cluster: SimulatedCluster, request: TraceRequest): void {
  for (const { trace } of exploreTrace(cluster, request).branches) {
    // a namespace is crossed by at most a handful of devices, and each router takes one from the TTL
    const most = 12 * (trace.request.ttl + 1);
    if (trace.path.length > most)
      throw new LawBroken(`the packet crossed ${trace.path.length} devices`, trace);
  }
}
