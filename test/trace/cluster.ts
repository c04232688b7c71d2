import { readFileSync } from "node:fs";
import type { SimulatedCluster } from "../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../src/cluster/build/network.ts";
import { loadTopology } from "../../src/topology/load/load.ts";
import { builtInTopology } from "../../src/topology/load/source.ts";
import type { TraceRequest } from "../../src/trace/request.ts";
import { send } from "../../src/trace/send.ts";
import type { Trace } from "../../src/trace/trace.ts";

/** A topology by the words that differ from a built-in one: `[what it says, what it is to say]`. */
export type Edits = readonly (readonly [string, string])[];

/** Text of a built-in topology with some of its words changed. Throws when it does not say them. */
export function topologyText(edits: Edits = [], name = "two-workers"): string {
  return edits.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${name} does not say ${JSON.stringify(from)}`);
      return text.replaceAll(from, to);
    },
    readFileSync(builtInTopology(name), "utf8"),
  );
}

const models = new Map<string, ReturnType<typeof loadTopology>["model"]>();

/** A new cluster of that text. */
export function clusterOf(text: string, seed = 1): SimulatedCluster {
  let model = models.get(text);
  if (model === undefined) {
    ({ model } = loadTopology([{ file: "test.yaml", text }]));
    models.set(text, model);
  }
  return buildNetwork(model, { seed });
}

/** One packet through a new cluster. */
export const traceIn = (edits: Edits, request: TraceRequest, seed = 1): Trace =>
  send(clusterOf(topologyText(edits), seed), request);

/** The shortest telling of a trace: what a reader asks first. */
export const gist = ({ verdict, reason, delivered, reply, icmp }: Trace) => ({
  verdict,
  reason,
  ttl: delivered?.ttl ?? null,
  source: delivered?.source.replace(/:\d+$/, "") ?? null,
  netns: delivered?.netns ?? null,
  reply: reply === null ? null : `${reply.verdict} ${reply.source}`,
  icmp: icmp === null ? null : `${icmp.type}/${icmp.code} ${icmp.from}`,
});

/** Devices of a trace's path in words: `NETNS DEVICE tx`. */
export const pathOf = ({ path }: Trace): string[] =>
  path.map(
    ({ netns, device, direction, of }) =>
      `${of === "request" ? "" : "outer "}${netns} ${device} ${direction}`,
  );
