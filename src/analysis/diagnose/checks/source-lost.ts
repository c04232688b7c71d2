import { clientsOf } from "../cast.ts";
import type { Check } from "../check.ts";
import { editServiceSpec } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { eventsOf, observation, tryFlowTo } from "../try-flow.ts";

/** Outside clients of a NodePort are masqueraded under the Cluster policy. */
export const sourceLost: Check = {
  id: "source-lost",
  severity: "info",
  symptom: "the server sees an address of the node where it expects the client's",
  *suspects(model) {
    for (const target of serviceTargets(model)) {
      const { namespace, name, port, endpoints, service, protocol } = target;
      const { nodePort } = port;
      if (!nodePort || service.spec?.externalTrafficPolicy === "Local") continue;
      for (const [k, endpoint] of endpoints.entries()) {
        const node = model.nodes.find((one) => one.name === endpoint.nodeName);
        const client = node === undefined ? undefined : clientsOf(model, node)[0];
        // other nodes are no clients that anybody wants to tell apart
        if (node === undefined || client === undefined || !client.startsWith("host/")) continue;
        const request = { from: client, to: `node/${node.name}:${nodePort}`, protocol };
        yield {
          subject: { kind: "Service", namespace, name, path: ["spec", "externalTrafficPolicy"] },
          message: `${namespace}/${name} does not keep the source of outside clients: externalTrafficPolicy is Cluster`,
          mend: `kubectl -n ${namespace} patch svc ${name} -p '{"spec":{"externalTrafficPolicy":"Local"}}'    # nodes without an endpoint then drop`,
          observe(current) {
            const trace = tryFlowTo(current, request, `${endpoint.ip}:${endpoint.port}`, k);
            if (trace === null) return null;
            const rule = eventsOf(trace, "rule").find(
              ({ of, target: jump }) => of === "request" && (jump === "MASQUERADE" || jump === "SNAT"),
            );
            const sender = trace.request.source.split(":")[0];
            return observation(trace, rule !== undefined && trace.delivered?.source.split(":")[0] !== sender);
          },
          mended: (current) =>
            editServiceSpec(current, namespace, name, (spec) => ({
              ...spec,
              externalTrafficPolicy: "Local",
            })),
        };
      }
    }
  },
};
