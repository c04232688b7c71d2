import { clientsOf, machineOf, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editServiceSpec } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { observation, tryFlow } from "../try-flow.ts";

/** A Service claims an address of somebody outside: nodes translate what is for that one. */
export const externalIpHijack: Check = {
  id: "external-ip-hijack",
  severity: "error",
  symptom: "pods that talk to a machine outside are answered by pods of the cluster",
  *suspects(model) {
    for (const target of serviceTargets(model)) {
      const { namespace, name, service, port, protocol } = target;
      for (const [index, address] of (service.spec?.externalIPs ?? []).entries()) {
        const owner = machineOf(model, address);
        if (owner !== null ? model.nodes.some((node) => node.name === owner) : isRouted(model, address))
          continue;
        const [pod] = sandboxPods(model).filter(({ ip }) => !target.endpoints.some((one) => one.ip === ip));
        const from = pod === undefined ? clientsOf(model, model.nodes[0]!)[0] : podRef(pod);
        if (from === undefined) continue;
        yield {
          subject: { kind: "Service", namespace, name, path: ["spec", "externalIPs", index] },
          message: `${namespace}/${name} claims ${address}, which is ${owner ?? "no address of the cluster's, nor sent to it by any router"}`,
          mend: `kubectl -n ${namespace} patch svc ${name} --type json -p '[{"op":"remove","path":"/spec/externalIPs/${index}"}]'    # and admission control: DenyServiceExternalIPs`,
          observe(current) {
            const trace = tryFlow(current, { from, to: `${address}:${port.port}`, protocol });
            return observation(trace, trace.delivered !== null && trace.delivered.netns !== owner);
          },
          mended: (current) =>
            editServiceSpec(current, namespace, name, (spec) => ({
              ...spec,
              externalIPs: (spec.externalIPs ?? []).filter((one) => one !== address),
            })),
        };
      }
    }
  },
};

/** Does an outside machine send that address to a node, as routers are told to for external IPs? */
const isRouted = ({ hosts, nodes }: Parameters<typeof machineOf>[0], address: string): boolean =>
  hosts.some(({ routes }) =>
    routes.some(
      ({ to, via }) => to.startsWith(`${address}/`) && nodes.some(({ internalIP }) => internalIP === via),
    ),
  );
