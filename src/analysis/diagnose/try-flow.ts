import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { buildNetwork } from "../../cluster/build/network.ts";
import type { ClusterModel } from "../../cluster/objects/model.ts";
import { type Chooser, SeededChooser } from "../../linux/chooser.ts";
import type { TraceEvent } from "../../trace/event.ts";
import type { TraceRequest } from "../../trace/request.ts";
import { send } from "../../trace/send.ts";
import { oneLine } from "../../trace/text/verdict-text.ts";
import type { Trace } from "../../trace/trace.ts";
import type { Observation } from "./check.ts";

const SEED = 1;

/**
 * A request that is to end at a certain endpoint of a Service: kube-proxy's random rules stand one after the other, so
 * of n endpoints in the order of their rules the k-th (from 0) is taken when chance says no k times and then yes.
 */
class EndpointChooser implements Chooser {
  private refusals: number;
  private readonly ports = new SeededChooser(SEED);

  constructor(refusals: number) {
    this.refusals = refusals;
  }

  chance(): boolean {
    return this.refusals-- <= 0;
  }

  pick(n: number): number {
    return this.ports.pick(n);
  }
}

/** A new network of the model, in which chance takes the `k`-th endpoint of every Service. */
export const freshNetworkOf = (model: ClusterModel, k = 0): SimulatedCluster =>
  buildNetwork(model, { chooser: new EndpointChooser(k) });

/** A network a model, as it was built: whatever goes through it is taken back. */
const networks = new WeakMap<ClusterModel, SimulatedCluster>();

function networkOf(model: ClusterModel): SimulatedCluster {
  const cluster = networks.get(model) ?? freshNetworkOf(model);
  networks.set(model, cluster);
  return cluster;
}

/** What programs of the cluster try and the kernel refuses when it is built: a port that is taken, rules with a fault. */
export const refusalsOf = (model: ClusterModel): readonly string[] => networkOf(model).refused;

/** Sends one flow through a network in which nothing has happened yet. */
export function tryFlow(model: ClusterModel, request: TraceRequest, k = 0): Trace {
  const cluster = networkOf(model);
  const { network } = cluster;
  network.chooser = new EndpointChooser(k);
  network.checkpoint();
  try {
    return send(cluster, request);
  } finally {
    network.rollback();
  }
}

/** Endpoints that are tried at most in search of one. */
const MAX_ENDPOINTS = 64;

/**
 * Sends a flow to a Service such that it is translated to `endpoint` (`IP:PORT`). Null when the rules never lead there.
 *
 * @param likely which endpoint that is in the order of the rules, as far as the caller can tell.
 */
export function tryFlowTo(
  model: ClusterModel,
  request: TraceRequest,
  endpoint: string,
  likely: number,
): Trace | null {
  for (let i = 0; i < MAX_ENDPOINTS; i++) {
    const k = i === 0 ? likely : i <= likely ? i - 1 : i;
    const trace = tryFlow(model, request, k);
    if (translatedTo(trace) === endpoint) return trace;
    if (trace.rules.length === 0) return null;
  }
  return null;
}

/** `IP:PORT` that the request's destination was last translated to; null when it was not. */
export function translatedTo(trace: Trace): string | null {
  let last: string | null = null;
  for (const event of trace.events)
    if (event.type === "nat" && event.of === "request" && event.manip === "destination")
      last = event.after.destination;
  return last;
}

/** Did a listener get the request, and the sender the answer? */
export const works = ({ verdict, reply }: Trace): boolean =>
  verdict === "delivered" && reply?.verdict === "delivered";

type EventOf<T extends TraceEvent["type"]> = Extract<TraceEvent, { type: T }>;

/** The events of one type in a trace, that of the answer and of ICMP errors among them. */
export const eventsOf = <T extends TraceEvent["type"]>(trace: Trace, type: T): EventOf<T>[] =>
  trace.events.filter((event): event is EventOf<T> => event.type === type);

/** Text of a request: `tcp pod/default/a > svc/default/b:80`. */
export const flowText = ({ protocol, from, to }: Trace["request"]): string => `${protocol} ${from} > ${to}`;

/** What a trace shows. */
export const observation = (
  trace: Trace,
  faulty: boolean,
  { flow = flowText(trace.request), outcome = outcomeText(trace) } = {},
): Observation => ({ flow, trace, outcome, faulty });

/** What became of a flow, without saying again who sent it. */
export function outcomeText(trace: Trace): string {
  const line = oneLine(trace);
  const text = line.slice(line.indexOf(": ") + 2);
  const seen =
    trace.delivered !== null && trace.delivered.source !== trace.request.source
      ? ` as from ${trace.delivered.source}`
      : "";
  const told =
    trace.delivered === null && trace.icmp !== null
      ? `; the sender is told ICMP ${trace.icmp.type}/${trace.icmp.code} from ${trace.icmp.from}`
      : "";
  return text.replace(/^(delivered to \S+ ttl \d+)/, `$1${seen}`) + told;
}
