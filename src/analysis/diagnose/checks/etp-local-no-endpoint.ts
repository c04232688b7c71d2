import { clientsOf } from "../cast.ts";
import type { Check } from "../check.ts";
import { editServiceSpec } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { eventsOf, observation, tryFlow } from "../try-flow.ts";

/** A NodePort under externalTrafficPolicy Local drops on nodes without an endpoint of their own. */
export const etpLocalNoEndpoint: Check = {
  id: "etp-local-no-endpoint",
  severity: "error",
  symptom:
    "a NodePort answers on some nodes and is silent on others, while pods of the cluster get through everywhere",
  *suspects(model) {
    for (const target of serviceTargets(model)) {
      const { namespace, name, port, endpoints, service, protocol } = target;
      const { nodePort } = port;
      if (service.spec?.externalTrafficPolicy !== "Local" || !nodePort || endpoints.length === 0) continue;
      // a load balancer asks for the health-check port before it sends to a node
      if (service.spec.type === "LoadBalancer") continue;
      for (const node of model.nodes) {
        const [client] = clientsOf(model, node);
        if (client === undefined || endpoints.some(({ nodeName }) => nodeName === node.name)) continue;
        const request = { from: client, to: `node/${node.name}:${nodePort}`, protocol };
        yield {
          subject: { kind: "Service", namespace, name, path: ["spec", "externalTrafficPolicy"] },
          message: `${namespace}/${name} has externalTrafficPolicy Local, and no ready endpoint on ${node.name}: port ${nodePort} drops there`,
          mend: `kubectl -n ${namespace} patch svc ${name} -p '{"spec":{"externalTrafficPolicy":"Cluster"}}'    # or an endpoint on every node that is asked`,
          observe(current) {
            const trace = tryFlow(current, request);
            const dropped = eventsOf(trace, "drop").some(
              ({ netns, table, chain, of }) =>
                of === "request" &&
                netns === node.name &&
                // nftables mode has a table of its own
                (table === "kube-proxy" || (table === "filter" && /^KUBE-/.test(chain ?? ""))),
            );
            return observation(trace, dropped);
          },
          mended: (current) =>
            editServiceSpec(current, namespace, name, (spec) => ({
              ...spec,
              externalTrafficPolicy: "Cluster",
            })),
        };
      }
    }
  },
};
