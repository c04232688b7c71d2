import type { ClusterModel, NodeModel } from "../../../cluster/objects/model.ts";
import type { TraceRequest } from "../../../trace/request.ts";
import { crossNodeFlows, flowToPod, podRef } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode } from "../edit.ts";
import { eventsOf, observation, tryFlow, works } from "../try-flow.ts";

/** Flows of other nodes' pods to this node's. */
const flowsTo = (model: ClusterModel, node: NodeModel): TraceRequest[] =>
  crossNodeFlows(model, node)
    .filter(({ to }) => to.nodeName === node.name)
    .map(({ from, to }) => flowToPod(podRef(from), to));

/** Did the request come to the node at all, in whatever wrapping? */
const cameTo = (trace: ReturnType<typeof tryFlow>, node: string): boolean =>
  trace.path.some(({ netns, direction }) => netns === node && direction === "rx");

/** The node's lease names an address that is not the node's. */
export const flannelWrongIface: Check = {
  id: "flannel-wrong-iface",
  severity: "error",
  symptom:
    "pods of one node hear each other; what is for another node goes to an address that is not that node's",
  *suspects(model) {
    for (const node of model.nodes) {
      const publicIP = node.flannel?.publicIP ?? node.internalIP;
      if (publicIP === node.internalIP) continue;
      for (const request of flowsTo(model, node))
        yield {
          subject: { kind: "Node", name: node.name, setting: ["flannel", "publicIP"] },
          message: `flannel's lease of ${node.name} says that it is reached at ${publicIP}; the node is ${node.internalIP}`,
          mend: `flanneld --iface=${node.nic.name}    # on ${node.name}, or --public-ip=${node.internalIP}`,
          observe(current) {
            const trace = tryFlow(current, request);
            return observation(trace, !works(trace) && !cameTo(trace, node.name));
          },
          mended: (current) =>
            editNode(current, node.name, (one) => ({
              ...one,
              flannel: { lease: one.flannel?.lease ?? true, publicIP: one.internalIP },
            })),
        };
    }
  },
};

/** The others have forgotten the node. */
export const flannelLeaseGone: Check = {
  id: "flannel-lease-gone",
  severity: "error",
  symptom: "the pods of one node are unreachable from all others; everything else works",
  *suspects(model) {
    for (const node of model.nodes) {
      if (node.flannel?.lease !== false) continue;
      for (const request of flowsTo(model, node))
        yield {
          subject: { kind: "Node", name: node.name, setting: ["flannel", "lease"] },
          message: `flannel's lease of ${node.name} (${node.podCIDR}) has run out: no other node has a way there`,
          mend: `systemctl restart flanneld    # on ${node.name}: it takes its lease again`,
          observe(current) {
            const trace = tryFlow(current, request);
            const noLease = eventsOf(trace, "drop").some(
              ({ detail }) => detail === "no lease covers the destination",
            );
            return observation(trace, !works(trace) && (noLease || !cameTo(trace, node.name)));
          },
          mended: (current) =>
            editNode(current, node.name, (one) => ({
              ...one,
              flannel: { publicIP: one.flannel?.publicIP ?? one.internalIP, lease: true },
            })),
        };
    }
  },
};
