/**
 * podpath: what happens to a packet in a Kubernetes cluster, hop by hop, without a cluster.
 *
 * @example
 * ```ts
 * import { buildNetwork, builtInTopology, loadTopology, readSources, send } from "podpath";
 *
 * const { model } = loadTopology(readSources([builtInTopology()]));
 * const cluster = buildNetwork(model, { seed: 1 });
 * const trace = send(cluster, { from: "pod/client", to: "svc/nginx:80" });
 * console.log(trace.verdict, trace.delivered?.pod);
 * ```
 */
export type { SimulatedCluster } from "./cluster/build/cluster.ts";
export { type BuildOptions, buildNetwork } from "./cluster/build/network.ts";
export type { SimulatedNode } from "./cluster/build/node.ts";
export type { SimulatedPod } from "./cluster/build/pod.ts";
export type { ClusterModel } from "./cluster/objects/model.ts";
export type { Chooser } from "./linux/chooser.ts";
export type { Network } from "./linux/network.ts";
export type { NetworkEvent, Recorder } from "./linux/recorder.ts";
export type { Packet } from "./packet/packet.ts";
export { EXPORT_FORMATS, type ExportFormat, exportNode } from "./topology/export/export.ts";
export { type Fault, formatFault, TopologyError } from "./topology/load/fault.ts";
export { type LoadedTopology, loadTopology } from "./topology/load/load.ts";
export { builtInTopology, readSources, type Source } from "./topology/load/source.ts";
export type { TraceEvent } from "./trace/event.ts";
export type { PacketRecord } from "./trace/packet-record.ts";
export { RequestError, type TraceProtocol, type TraceRequest } from "./trace/request.ts";
export { send } from "./trace/send.ts";
export { renderTrace, type TextOptions } from "./trace/text/render.ts";
export type {
  ConntrackEntry,
  Delivered,
  IcmpError,
  PathEntry,
  Place,
  Reply,
  RuleEntry,
  Trace,
  Verdict,
} from "./trace/trace.ts";
