import { podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode, withSysctl } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { observation, tryFlowTo, works } from "../try-flow.ts";

const SETTING = "net.bridge.bridge-nf-call-iptables";

/** The answer of an endpoint on the caller's own bridge never meets conntrack, so it comes from the wrong address. */
export const bridgeNfOff: Check = {
  id: "bridge-nf-off",
  severity: "error",
  symptom: "a Service works when the endpoint is on another node, and hangs when it is on the caller's own",
  *suspects(model) {
    for (const node of model.nodes) {
      if (node.sysctl[SETTING] !== 0) continue;
      for (const target of serviceTargets(model))
        for (const [k, { ip, port, pod }] of target.endpoints.entries()) {
          const caller = sandboxPods(model, node).find((one) => one !== pod);
          if (pod?.nodeName !== node.name || caller === undefined) continue;
          const request = { from: podRef(caller), to: target.ref, protocol: target.protocol };
          yield {
            subject: { kind: "Node", name: node.name, setting: ["sysctl", SETTING] },
            message: `${SETTING} is 0 on ${node.name}: answers that ${node.docker.bridge} bridges are not translated back, and reach the caller from the pod's address`,
            mend: `sysctl -w ${SETTING}=1    # on ${node.name}`,
            observe(current) {
              const trace = tryFlowTo(current, request, `${ip}:${port}`, k);
              return trace === null ? null : observation(trace, trace.delivered !== null && !works(trace));
            },
            mended: (current) => editNode(current, node.name, withSysctl({ [SETTING]: 1 })),
          };
        }
    }
  },
};
