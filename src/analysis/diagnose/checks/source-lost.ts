import type { ClusterModel, PodModel } from "../../../cluster/objects/model.ts";
import { clientsOf, podRef, sandboxPods, within } from "../cast.ts";
import type { Check, Suspect } from "../check.ts";
import { editServiceSpec } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { eventsOf, observation, tryFlowTo } from "../try-flow.ts";

/** Outside clients of a NodePort are masqueraded under the Cluster policy, and pods where kube-proxy is told to or takes them for outside clients. */
export const sourceLost: Check = {
  id: "source-lost",
  severity: "info",
  symptom: "the server sees an address of the node where it expects the client's",
  *suspects(model) {
    yield* podsMasqueraded(model);
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

/** Pods' requests to Services are masqueraded under `masqueradeAll`, and when their addresses lie outside `clusterCIDR`. */
function* podsMasqueraded(model: ClusterModel): Generator<Suspect> {
  const { configuration } = model.kubeProxy;
  const { clusterCIDR, iptables } = configuration;
  const outside = ({ ip }: PodModel) => clusterCIDR !== "" && !within(clusterCIDR, ip);
  const callers = sandboxPods(model).filter((pod) => iptables.masqueradeAll || outside(pod));
  for (const { ref, protocol, endpoints } of serviceTargets(model))
    for (const [k, { ip, port }] of endpoints.entries()) {
      const caller = callers.find((pod) => endpoints.every((one) => one.ip !== pod.ip));
      if (caller === undefined) continue;
      const { masqueradeAll } = iptables;
      yield {
        subject: {
          kind: "KubeProxyConfiguration",
          path: masqueradeAll ? ["iptables", "masqueradeAll"] : ["clusterCIDR"],
        },
        message: masqueradeAll
          ? "kube-proxy masquerades all that goes to Services: no server sees its client's address"
          : `kube-proxy's clusterCIDR ${clusterCIDR} does not hold ${caller.ip}: it takes pods for outside clients and masquerades them`,
        mend: masqueradeAll ? "iptables: {masqueradeAll: false}" : `clusterCIDR: ${model.flannel.network}`,
        observe(current) {
          const request = { from: podRef(caller), to: ref, protocol };
          const trace = tryFlowTo(current, request, `${ip}:${port}`, k);
          if (trace === null) return null;
          const masqueraded = trace.rules.some(
            ({ chain, target }) => chain === "KUBE-POSTROUTING" && target === "MASQUERADE",
          );
          return observation(trace, masqueraded && trace.delivered?.source.split(":")[0] !== caller.ip);
        },
        mended: (current) => ({
          ...current,
          kubeProxy: {
            ...current.kubeProxy,
            configuration: {
              ...configuration,
              clusterCIDR: current.flannel.network,
              iptables: { ...iptables, masqueradeAll: false },
            },
          },
        }),
      };
    }
}
