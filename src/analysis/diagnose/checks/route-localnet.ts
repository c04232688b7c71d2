import type { Check } from "../check.ts";
import { editNode, withSysctl } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { observation, tryFlow, works } from "../try-flow.ts";

const ALL = "net.ipv4.conf.all.route_localnet";

/** kube-proxy's rules take a NodePort on 127.0.0.1, and the kernel refuses to send loopback addresses out. */
export const routeLocalnet: Check = {
  id: "route-localnet",
  severity: "error",
  symptom: "`curl localhost:NODEPORT` on a node hangs, while the node's own address works",
  *suspects(model) {
    if (model.kubeProxy.configuration.iptables?.localhostNodePorts === false) return;
    for (const node of model.nodes) {
      if (node.sysctl[ALL] !== 0) continue;
      for (const { port, protocol, endpoints } of serviceTargets(model)) {
        if (!port.nodePort || endpoints.length === 0) continue;
        const request = { from: `node/${node.name}`, to: `localhost:${port.nodePort}`, protocol };
        yield {
          subject: { kind: "Node", name: node.name, setting: ["sysctl", ALL] },
          message: `${ALL} is 0 on ${node.name}: a NodePort asked for at 127.0.0.1 cannot leave the node`,
          mend: `sysctl -w ${ALL}=1    # on ${node.name}, as kube-proxy does; or ask the node's own address`,
          observe(current) {
            const trace = tryFlow(current, request);
            return observation(trace, !works(trace));
          },
          mended: (current) => editNode(current, node.name, withSysctl({ [ALL]: 1 })),
        };
      }
    }
  },
};
