import type { ClusterModel, NodeModel } from "../../../cluster/objects/model.ts";
import type { TraceRequest } from "../../../trace/request.ts";
import { clientsOf, crossNodeFlows, flowToPod, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode, withDocker, withRules } from "../edit.ts";
import { eventsOf, observation, tryFlow, works } from "../try-flow.ts";

/** docker 1.13 sets FORWARD's policy to DROP, and no rule accepts what comes from the tunnel. */
export const forwardDrop: Check = {
  id: "forward-drop",
  severity: "error",
  symptom:
    "pods of other nodes and NodePorts with endpoints elsewhere fell silent, often after an upgrade of docker",
  *suspects(model) {
    for (const node of model.nodes) {
      const byDocker = node.docker.iptables && node.docker.forwardPolicy === "DROP";
      const byHand = /(^:FORWARD DROP|-P FORWARD DROP)/m.test(node.iptables ?? "");
      if (!byDocker && !byHand) continue;
      for (const request of flowsThrough(model, node))
        yield {
          subject: {
            kind: "Node",
            name: node.name,
            setting: byDocker ? ["docker", "forwardPolicy"] : ["iptables"],
          },
          message: `FORWARD's policy is DROP on ${node.name}, and no rule accepts what pods of other nodes send`,
          mend: `iptables -P FORWARD ACCEPT    # on ${node.name}; flannel 0.9.1 and later bring rules of their own`,
          observe(current) {
            const trace = tryFlow(current, request);
            const byPolicy = eventsOf(trace, "drop").some(
              ({ netns, chain, rule }) => netns === node.name && chain === "FORWARD" && !rule,
            );
            return observation(trace, byPolicy && !works(trace));
          },
          mended: (current) =>
            editNode(current, node.name, (one) =>
              withRules("filter", "-P FORWARD ACCEPT")(withDocker({ forwardPolicy: "ACCEPT" })(one)),
            ),
        };
    }
  },
};

function* flowsThrough(model: ClusterModel, node: NodeModel): Generator<TraceRequest> {
  for (const { from, to } of crossNodeFlows(model, node)) yield flowToPod(podRef(from), to);
  for (const pod of sandboxPods(model, node).slice(0, 1))
    for (const client of clientsOf(model, node)) yield flowToPod(client, pod);
}
