/** What a question's answer can be taken away as. */
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import type { TraceRequest } from "../../trace/request.ts";
import { type Ask, answeredTrace, exploreAll } from "./question.ts";

/** Bytes or text of a file, and what a browser has to know of it. */
export interface Download {
  readonly type: string;
  readonly name: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

type Make = (cluster: SimulatedCluster, request: TraceRequest, ask: Ask) => Promise<Download>;

/** By format, which is also the file's extension. */
export const DOWNLOADS = {
  json: async (cluster, request, ask) => {
    const { explore, seed } = ask;
    const answer = explore
      ? exploreAll(cluster, request, seed)
      : answeredTrace(cluster, request, ask, (trace) => trace);
    return { type: "application/json", name: "trace.json", body: `${JSON.stringify(answer, null, 2)}\n` };
  },
} as const satisfies Record<string, Make>;

export type DownloadFormat = keyof typeof DOWNLOADS;
