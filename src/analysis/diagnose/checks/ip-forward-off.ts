import type { ClusterModel, NodeModel } from "../../../cluster/objects/model.ts";
import type { TraceRequest } from "../../../trace/request.ts";
import { crossNodeFlows, flowToHost, flowToPod, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode, withSysctl } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { eventsOf, observation, tryFlow, works } from "../try-flow.ts";

const NAMES = ["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"];

/** A node that does not forward is a host: what is not for itself it drops. */
export const ipForwardOff: Check = {
  id: "ip-forward-off",
  severity: "error",
  symptom: "nothing leaves the node, and nothing comes to its pods; pods on one bridge still hear each other",
  *suspects(model) {
    for (const node of model.nodes) {
      const setting = NAMES.find((name) => node.sysctl[name] === 0);
      if (setting === undefined) continue;
      for (const request of flowsThrough(model, node))
        yield {
          subject: { kind: "Node", name: node.name, setting: ["sysctl", setting] },
          message: `${setting} is 0 on ${node.name}: it forwards nothing`,
          mend: `sysctl -w net.ipv4.ip_forward=1    # on ${node.name}`,
          observe(current) {
            const trace = tryFlow(current, request);
            const unrouted = eventsOf(trace, "drop").some(
              ({ netns, location }) => netns === node.name && location === "ip_error",
            );
            return observation(trace, unrouted && !works(trace));
          },
          mended: (current) =>
            editNode(current, node.name, withSysctl(Object.fromEntries(NAMES.map((name) => [name, 1])))),
        };
    }
  },
};

function* flowsThrough(model: ClusterModel, node: NodeModel): Generator<TraceRequest> {
  for (const { from, to } of crossNodeFlows(model, node)) yield flowToPod(podRef(from), to);
  const [pod] = sandboxPods(model, node);
  if (pod === undefined) return;
  for (const host of model.hosts) yield flowToHost(podRef(pod), host);
  for (const { ref: to, protocol, endpoints } of serviceTargets(model))
    if (endpoints.length > 0) yield { from: podRef(pod), to, protocol };
}
