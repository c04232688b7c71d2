import { exploreTrace } from "../analysis/explore/trace-set.ts";
import type { TraceableCluster } from "../trace/cluster.ts";
import type { TraceRequest } from "../trace/request.ts";
import { renderTrace } from "../trace/text/render.ts";
import type { Trace } from "../trace/trace.ts";

/** What vitest's `expect.extend` takes. */
interface Result {
  readonly pass: boolean;
  readonly message: () => string;
}

/** Where a packet should be dropped; what is left out is not looked at. */
export interface DropPlace {
  readonly netns?: string;
  readonly device?: string;
  readonly hook?: string;
  readonly table?: string;
  readonly chain?: string;
  /** A Linux drop reason without its prefix. */
  readonly reason?: string;
}

const show = (trace: Trace): string => renderTrace(trace, { verbose: false, color: false, width: 100 });

/** Holds every branch of chance against `fits`; the message is the trace of the first that decides. */
function judge(
  cluster: TraceableCluster,
  request: TraceRequest,
  what: string,
  fits: (trace: Trace) => boolean,
): Result {
  const traces = exploreTrace(cluster, request).branches.map(({ trace }) => trace);
  const wrong = traces.find((trace) => !fits(trace));
  const shown = wrong ?? traces[0]!;
  return {
    pass: wrong === undefined,
    message: () =>
      `${request.from} to ${request.to} ${wrong === undefined ? "should not" : "should"} ${what}\n\n${show(shown)}`,
  };
}

/**
 * Matchers for vitest: `expect.extend(podpathMatchers)`, then `expect(cluster).toReach({ from, to })`. Each looks at
 * every branch of chance; its failure message is the trace of one that is otherwise.
 */
export const podpathMatchers = {
  /** The packet is delivered and its answer comes back. */
  toReach: (cluster: TraceableCluster, request: TraceRequest): Result =>
    judge(
      cluster,
      request,
      "reach it and be answered",
      (trace) =>
        trace.verdict === "delivered" && (trace.reply === null || trace.reply.verdict === "delivered"),
    ),
  /** The packet ends before anybody gets it, at such a place. */
  toDropAt: (cluster: TraceableCluster, request: TraceRequest, place: DropPlace = {}): Result =>
    judge(cluster, request, `be dropped at ${JSON.stringify(place)}`, (trace) => dropsAt(trace, place)),
  /** The server sees the sender's own address. */
  toPreserveSource: (cluster: TraceableCluster, request: TraceRequest): Result =>
    judge(
      cluster,
      request,
      "arrive with its own source address",
      (trace) =>
        trace.delivered !== null && addressOf(trace.delivered.source) === addressOf(trace.request.source),
    ),
};

function dropsAt({ verdict, reason, at }: Trace, { reason: wanted, ...place }: DropPlace): boolean {
  if (verdict === "delivered" || (wanted !== undefined && wanted !== reason)) return false;
  return Object.entries(place).every(([key, value]) => at?.[key as keyof typeof place] === value);
}

const addressOf = (text: string): string => text.split(":")[0]!;

/** Types of {@link podpathMatchers}, for `declare module "vitest" { interface Matchers<T> extends PodpathMatchers<T> {} }`. */
export interface PodpathMatchers<R = unknown> {
  toReach(request: TraceRequest): R;
  toDropAt(request: TraceRequest, place?: DropPlace): R;
  toPreserveSource(request: TraceRequest): R;
}
