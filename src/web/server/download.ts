/** What a question's answer can be taken away as. */
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { pageOf } from "../../trace/diagram/html/page.ts";
import { layOut } from "../../trace/diagram/layout.ts";
import { diagramOf } from "../../trace/diagram/model.ts";
import { svgOf } from "../../trace/diagram/svg/picture.ts";
import { Capture } from "../../trace/pcapng/capture.ts";
import type { TraceRequest } from "../../trace/request.ts";
import type { Trace } from "../../trace/trace.ts";
import { type Ask, answeredTrace, exploreAll } from "./question.ts";

/** The content of a file, and its media type. */
interface Download {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

type Make = (cluster: SimulatedCluster, request: TraceRequest, ask: Ask) => Promise<Download>;

/** By format, which is also the file's extension. JSON has every branch, all else the chosen one. */
export const DOWNLOADS = {
  json: async (cluster, request, ask) => {
    const answer = ask.explore
      ? exploreAll(cluster, request, ask.seed)
      : answeredTrace(cluster, request, ask, { look: (trace) => trace });
    return { type: "application/json", body: `${JSON.stringify(answer, null, 2)}\n` };
  },
  pcapng: async (cluster, request, ask) => ({
    type: "application/x-pcapng",
    body: captured(cluster, request, ask),
  }),
  svg: async (cluster, request, ask) => {
    const { diagram, trace } = diagramAnd(cluster, request, ask);
    return { type: "image/svg+xml", body: svgOf(diagram, await layOut(diagram), trace) };
  },
  html: async (cluster, request, ask) => {
    const { diagram, trace } = diagramAnd(cluster, request, ask);
    return { type: "text/html; charset=utf-8", body: pageOf(diagram, await layOut(diagram), trace) };
  },
} as const satisfies Record<string, Make>;

export type DownloadFormat = keyof typeof DOWNLOADS;

function captured(cluster: SimulatedCluster, request: TraceRequest, ask: Ask): Uint8Array<ArrayBuffer> {
  const { network } = cluster;
  let bytes = new Uint8Array();
  const watch = (act: () => Trace): Trace => {
    const capture = new Capture(network);
    const before = network.recorder;
    network.recorder = capture;
    try {
      return act();
    } finally {
      network.recorder = before;
      bytes = new Uint8Array(capture.take());
    }
  };
  answeredTrace(cluster, request, ask, { look: () => null, watch });
  return bytes;
}

const diagramAnd = (cluster: SimulatedCluster, request: TraceRequest, ask: Ask) =>
  answeredTrace(cluster, request, ask, {
    look: (trace) => ({ trace, diagram: diagramOf(cluster, trace) }),
  });
