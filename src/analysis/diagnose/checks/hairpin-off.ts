import type { ClusterModel } from "../../../cluster/objects/model.ts";
import { podRef } from "../cast.ts";
import type { Check, Suspect } from "../check.ts";
import { editNode, withDocker } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { eventsOf, observation, translatedTo, tryFlowTo } from "../try-flow.ts";

/** A Service sends a pod back to itself, and the bridge has no port to send the frame out by. */
export const hairpinOff: Check = {
  id: "hairpin-off",
  severity: "error",
  symptom: "a pod reaches its Service only when another pod answers: of n endpoints 1/n of its requests hang",
  *suspects(model) {
    for (const node of model.nodes) {
      if (node.docker.hairpin) continue;
      for (const target of serviceTargets(model))
        for (const [k, { ip, port, pod }] of target.endpoints.entries())
          if (pod?.nodeName === node.name)
            yield suspect(node.name, node.docker.bridge, target, k, podRef(pod), `${ip}:${port}`);
    }
  },
};

function suspect(
  node: string,
  bridge: string,
  { ref, protocol, endpoints: { length } }: ReturnType<typeof serviceTargets>[number],
  k: number,
  from: string,
  self: string,
): Suspect {
  return {
    subject: { kind: "Node", name: node, setting: ["docker", "hairpin"] },
    message: `hairpin mode is off on the ports of ${node}'s ${bridge}: what a Service sends back to its own sender (1 in ${length} here) is dropped there`,
    mend: `for p in /sys/class/net/${bridge}/brif/*; do echo 1 > $p/hairpin_mode; done    # on ${node}; kubelet: --hairpin-mode=hairpin-veth`,
    observe(model: ClusterModel) {
      const trace = tryFlowTo(model, { from, to: ref, protocol }, self, k);
      if (trace === null) return null;
      const blocked = eventsOf(trace, "bridge").some(({ action }) => action === "blocked");
      return observation(trace, blocked && translatedTo(trace) === self);
    },
    mended: (model) => editNode(model, node, withDocker({ hairpin: true })),
  };
}
