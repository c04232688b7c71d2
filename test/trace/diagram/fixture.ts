import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { type Drawing, layOut } from "../../../src/trace/diagram/layout.ts";
import { type Diagram, diagramOf } from "../../../src/trace/diagram/model.ts";
import type { TraceRequest } from "../../../src/trace/request.ts";
import { send } from "../../../src/trace/send.ts";
import type { Trace } from "../../../src/trace/trace.ts";
import { clusterOf, type Edits, topologyText } from "../cluster.ts";

/** A trace through a new cluster, and what can be drawn of it. */
export interface Drawn {
  readonly cluster: SimulatedCluster;
  readonly trace: Trace;
  readonly diagram: Diagram;
}

export function drawn(request: TraceRequest, topology = "two-workers", edits: Edits = []): Drawn {
  const cluster = clusterOf(topologyText(edits, topology));
  const trace = send(cluster, request);
  return { cluster, trace, diagram: diagramOf(cluster, trace) };
}

/** The same with coordinates. */
export async function laidOut(
  request: TraceRequest,
  topology?: string,
): Promise<Drawn & { drawing: Drawing }> {
  const all = drawn(request, topology);
  return { ...all, drawing: await layOut(all.diagram) };
}

/** Of every kind of way one, as people ask for them. */
export const REQUESTS: readonly (readonly [string, TraceRequest, string])[] = [
  ["pod to ClusterIP across nodes", { from: "pod/client", to: "svc/nginx:80" }, "two-workers"],
  ["outside to NodePort", { from: "host/laptop", to: "node/srv-k8s-node1:30088" }, "two-workers"],
  ["pod to pod, expired", { from: "pod/client", to: "pod/client2", protocol: "icmp", ttl: 3 }, "two-workers"],
  [
    "pod to a gateway that says no",
    { from: "pod/client", to: "pod/client2", protocol: "icmp", ttl: 1 },
    "two-workers",
  ],
  ["a closed port", { from: "pod/client", to: "pod/client2:81" }, "two-workers"],
  ["localhost", { from: "pod/nginxpod", to: "localhost:80" }, "two-workers"],
  ["node to pod", { from: "node/srv-k8s-master1", to: "pod/nginxpod:80" }, "two-workers"],
  ["over VXLAN", { from: "pod/client", to: "svc/nginx:80" }, "vxlan"],
  ["by host-gw", { from: "pod/client", to: "svc/nginx:80" }, "host-gw"],
  ["fragments", { from: "pod/client", to: "pod/client2", protocol: "icmp", size: 3000 }, "two-workers"],
];
