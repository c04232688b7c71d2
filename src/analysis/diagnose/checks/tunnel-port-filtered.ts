import type { FlannelBackend } from "../../../cluster/objects/model.ts";
import { crossNodeFlows, flowToPod, podRef } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode, withRules } from "../edit.ts";
import { eventsOf, observation, tryFlow } from "../try-flow.ts";

/** A firewall drops the outer packets between nodes. */
const portFiltered = (id: string, type: FlannelBackend["type"]): Check => ({
  id,
  severity: "error",
  symptom: "pods on one node hear each other, between nodes nothing goes, while the nodes themselves do",
  *suspects(model) {
    const { backend } = model.flannel;
    if (backend.type !== type || backend.type === "host-gw") return;
    const { port } = backend;
    for (const node of model.nodes) {
      if (node.iptables === undefined) continue;
      for (const { from, to } of crossNodeFlows(model, node)) {
        const request = flowToPod(podRef(from), to);
        yield {
          subject: { kind: "Node", name: node.name, setting: ["iptables"] },
          message: `rules on ${node.name} drop flannel's own packets, UDP port ${port}`,
          mend: `iptables -I INPUT -p udp --dport ${port} -j ACCEPT    # on ${node.name}, and likewise wherever nodes are parted by a firewall`,
          observe(current) {
            const trace = tryFlow(current, request);
            const dropped = eventsOf(trace, "drop").some(
              ({ netns, of, reason }) =>
                netns === node.name && of === "request-outer" && reason === "NETFILTER_DROP",
            );
            return observation(trace, dropped);
          },
          mended: (current) =>
            editNode(
              current,
              node.name,
              withRules(
                "filter",
                `-I INPUT -p udp -m udp --dport ${port} -j ACCEPT`,
                `-I OUTPUT -p udp -m udp --dport ${port} -j ACCEPT`,
              ),
            ),
        };
      }
    }
  },
});

export const udpPortFiltered = portFiltered("udp-port-filtered", "udp");
export const vxlanPortFiltered = portFiltered("vxlan-port-filtered", "vxlan");
