import { crossNodeFlows, flowToPod, podRef } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode, withDocker } from "../edit.ts";
import { observation, tryFlow } from "../try-flow.ts";

/** docker masquerades whatever leaves by another device than its bridge, the tunnel among them. */
export const doubleMasquerade: Check = {
  id: "double-masquerade",
  severity: "info",
  symptom:
    "pods see pods of other nodes under flannel's or the node's address; rules by source address do not match",
  *suspects(model) {
    for (const node of model.nodes) {
      if (!node.docker.ipMasq || !node.docker.iptables) continue;
      for (const { from, to } of crossNodeFlows(model, node)) {
        if (from.nodeName !== node.name) continue;
        const request = flowToPod(podRef(from), to);
        yield {
          subject: { kind: "Node", name: node.name, setting: ["docker", "ipMasq"] },
          message: `docker on ${node.name} masquerades what pods send to pods of other nodes`,
          mend: `dockerd --ip-masq=false    # on ${node.name}, and flanneld --ip-masq, which spares the cluster's own network`,
          observe(current) {
            const trace = tryFlow(current, request);
            const seen = trace.delivered?.source.split(":")[0];
            return observation(trace, seen !== undefined && seen !== from.ip);
          },
          mended: (current) => ({
            ...editNode(current, node.name, withDocker({ ipMasq: false })),
            flannel: { ...current.flannel, ipMasq: true },
          }),
        };
      }
    }
  },
};
