import type { ClusterModel, NodeModel } from "../../../cluster/objects/model.ts";
import { crossNodeFlows, listeningPorts, podRef } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNodes, withDocker } from "../edit.ts";
import { eventsOf, flowText, observation, outcomeText, tryFlow } from "../try-flow.ts";

/** Bytes that the back ends put around a packet. */
const OVERHEAD = { udp: 28, vxlan: 50, "host-gw": 0 } as const;
/** Two full segments and some. */
const TRANSFER_BYTES = 4000;
/** An IPv4 header and a TCP header with time stamps: what is longer carries data. */
const HEADERS = 52;

/** Pods send packets that do not fit into the tunnel, and never hear of it. */
export const tunnelMtu: Check = {
  id: "tunnel-mtu",
  severity: "error",
  symptom: "connections are made and small answers come, but large transfers between nodes hang",
  *suspects(model) {
    for (const node of model.nodes) {
      const fits = node.nic.mtu - OVERHEAD[model.flannel.backend.type];
      if (node.docker.mtu <= fits) continue;
      for (const { from, to } of crossNodeFlows(model, node)) {
        const port = listeningPorts(to).find(({ protocol }) => protocol === "TCP")?.port;
        if (from.nodeName !== node.name || port === undefined) continue;
        const request = { from: podRef(from), to: `${podRef(to)}:${port}`, size: TRANSFER_BYTES } as const;
        yield {
          subject: { kind: "Node", name: node.name, setting: ["docker", "mtu"] },
          message: `pods on ${node.name} have an MTU of ${node.docker.mtu}, the tunnel takes ${fits}, and the ICMP that says so does not get through`,
          mend: `dockerd --mtu=${fits}    # on ${node.name}, and let ICMP type 3 code 4 pass`,
          observe(current) {
            const trace = tryFlow(current, { ...request, protocol: "tcp" });
            const netns = `${to.nodeName}/${to.namespace}/${to.name}`;
            const arrived = eventsOf(trace, "deliver").some(
              (event) => event.netns === netns && event.of === "follow-up" && event.packet.length > HEADERS,
            );
            const tooBig = eventsOf(trace, "drop").find(({ reason }) => reason === "PKT_TOO_BIG");
            const fate = eventsOf(trace, "drop").find(({ of }) => of === "icmp-error");
            const lost = `the data is dropped PKT_TOO_BIG in ${tooBig?.netns}, the ICMP about it ${
              fate === undefined
                ? "comes to nothing"
                : `is dropped ${fate.reason} in ${fate.netns} ${fate.hook ?? ""}`
            }`;
            const faulty = trace.delivered !== null && !arrived && tooBig !== undefined;
            const outcome = arrived
              ? `connected, and all ${TRANSFER_BYTES} bytes arrive`
              : `connected, but ${lost}`;
            return observation(trace, faulty, {
              flow: `${flowText(trace.request)}, ${TRANSFER_BYTES} bytes`,
              outcome: trace.delivered === null ? outcomeText(trace) : outcome.trimEnd(),
            });
          },
          mended: (current) => fitMtu(current),
        };
      }
    }
  },
};

/** Every node's containers get what its tunnel takes. */
const fitMtu = (model: ClusterModel): ClusterModel =>
  editNodes(model, (node: NodeModel) =>
    withDocker({ mtu: Math.min(node.docker.mtu, node.nic.mtu - OVERHEAD[model.flannel.backend.type]) })(node),
  );
