import type { ClusterModel } from "../../../cluster/objects/model.ts";
import type { TraceRequest } from "../../../trace/request.ts";
import { send } from "../../../trace/send.ts";
import type { Trace } from "../../../trace/trace.ts";
import { crossNodeFlows, flowToHost, flowToPod, podRef, sandboxPods } from "../cast.ts";
import type { Check, Observation } from "../check.ts";
import { editNode, withSysctl } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { eventsOf, flowText, freshNetworkOf, observation, outcomeText, works } from "../try-flow.ts";

const MAX = "net.netfilter.nf_conntrack_max";
/** Tables up to this are filled for proof. kube-proxy asks for 131,072 and more. */
const MOST_CONNECTIONS = 1024;
const FIRST_SOURCE_PORT = 20000;

/** The table of connections is full of assured ones, so there is no room for another. */
export const conntrackFull: Check = {
  id: "conntrack-full",
  severity: "error",
  symptom: "random drops under many connections; the kernel logs `nf_conntrack: table full, dropping packet`",
  *suspects(model) {
    for (const node of model.nodes) {
      const max = node.sysctl[MAX] ?? 0;
      if (max === 0 || max > MOST_CONNECTIONS) continue;
      for (const request of tcpFlows(model, node.name))
        yield {
          subject: { kind: "Node", name: node.name, setting: ["sysctl", MAX] },
          message: `${MAX} is ${max} on ${node.name}: so many connections and no more`,
          mend: `sysctl -w ${MAX}=131072    # on ${node.name}; kube-proxy: conntrack.min; and shorter timeouts`,
          observe: (current) => fill(current, node.name, request, max),
          mended: (current) => editNode(current, node.name, withSysctl({ [MAX]: 131072 })),
        };
    }
  },
};

function* tcpFlows(model: ClusterModel, node: string): Generator<TraceRequest> {
  const here = model.nodes.find(({ name }) => name === node)!;
  const [pod] = sandboxPods(model, here);
  const requests: TraceRequest[] = crossNodeFlows(model, here).map(({ from, to }) =>
    flowToPod(podRef(from), to),
  );
  if (pod !== undefined)
    requests.push(
      ...serviceTargets(model)
        .filter(({ endpoints }) => endpoints.length > 0 && !endpoints.some(({ ip }) => ip === pod.ip))
        .map(({ ref: to, protocol }) => ({ from: podRef(pod), to, protocol })),
      ...model.hosts.map((host) => flowToHost(podRef(pod), host)),
    );
  for (const request of requests) if (request.protocol === "tcp") yield request;
}

function fill(model: ClusterModel, node: string, request: TraceRequest, max: number): Observation {
  const cluster = freshNetworkOf(model);
  let trace: Trace | null = null;
  for (let i = 0; i <= max; i++) trace = send(cluster, { ...request, sourcePort: FIRST_SOURCE_PORT + i });
  const last = trace!;
  const dropped = eventsOf(last, "drop").some((e) => e.netns === node && /table full/.test(e.detail ?? ""));
  // one that was not assured made room for another, and its next packet belongs to nothing
  const evicted = (cluster.node(node).netns.netfilter.conntrack?.size ?? 0) >= max && !works(last);
  const why = dropped
    ? "nf_conntrack: table full, dropping packet"
    : "its connection was given up for another";
  return observation(last, dropped || evicted, {
    flow: `${flowText(last.request)}, after ${max} connections that stand`,
    outcome: dropped || evicted ? `${outcomeText(last)}: ${why}` : outcomeText(last),
  });
}
