import type { ClusterModel, PodModel } from "../../../cluster/objects/model.ts";
import { send } from "../../../trace/send.ts";
import type { Trace } from "../../../trace/trace.ts";
import { flowToHost, podRef, sandboxPods } from "../cast.ts";
import type { Check, Observation } from "../check.ts";
import { editNode } from "../edit.ts";
import { eventsOf, flowText, freshNetworkOf, observation, outcomeText } from "../try-flow.ts";

/** `MASQUERADE --to-ports A-B`, `SNAT --to-source IP:A-B` */
const PORT_RANGE = /(--to-ports |--to-source [\d.]+:)(\d+)-(\d+)/g;
/** Ranges up to this are filled for proof. */
const MOST_PORTS = 1024;
const FIRST_SOURCE_PORT = 20000;

/** All ports that a source may be translated to are in use towards one destination. */
export const snatPortsExhausted: Check = {
  id: "snat-ports-exhausted",
  severity: "error",
  symptom:
    "beyond a certain number of connections to one destination new ones time out, while other destinations work",
  *suspects(model) {
    for (const node of model.nodes)
      for (const [, , first, last] of (node.iptables ?? "").matchAll(PORT_RANGE)) {
        const size = Number(last) - Number(first) + 1;
        const [pod] = sandboxPods(model, node);
        if (size > MOST_PORTS || pod === undefined) continue;
        for (const host of model.hosts) {
          const { to, protocol } = flowToHost(podRef(pod), host);
          if (protocol !== "tcp" && protocol !== "udp") continue;
          yield {
            subject: { kind: "Node", name: node.name, setting: ["iptables"] },
            message: `${node.name} translates sources to ${size} ports, ${first}-${last}: the next connection to one destination finds none free`,
            mend: `iptables -t nat -R POSTROUTING …: without a port range, or with more source addresses    # on ${node.name}`,
            observe: (current) => exhaust(current, pod, to, protocol, size),
            mended: (current) =>
              editNode(current, node.name, (one) => ({
                ...one,
                iptables: (one.iptables ?? "").replaceAll(PORT_RANGE, "$11024-65535"),
              })),
          };
        }
      }
  },
};

function exhaust(
  model: ClusterModel,
  pod: PodModel,
  to: string,
  protocol: "tcp" | "udp",
  size: number,
): Observation {
  const cluster = freshNetworkOf(model);
  const from = podRef(pod);
  let trace: Trace | null = null;
  for (let i = 0; i <= size; i++)
    trace = send(cluster, { from, to, protocol, sourcePort: FIRST_SOURCE_PORT + i });
  const last = trace!;
  const failed = eventsOf(last, "conntrack").some(({ action }) => action === "insert-failed");
  return observation(last, failed, {
    flow: `${flowText(last.request)}, after ${size} connections that stand`,
    outcome: failed ? `${outcomeText(last)}: no port is free` : outcomeText(last),
  });
}
