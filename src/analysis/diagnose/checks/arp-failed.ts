import { podRef, sandboxPods, within } from "../cast.ts";
import type { Check } from "../check.ts";
import { editSlices } from "../edit.ts";
import { listenersAt, serviceTargets, slicesOf } from "../service-target.ts";
import { eventsOf, observation, tryFlow, tryFlowTo } from "../try-flow.ts";

/** An endpoint's address is nobody's: nobody answers when it is asked for by ARP. */
export const arpFailed: Check = {
  id: "arp-failed",
  severity: "error",
  symptom: "some requests hang for three seconds and then fail with `no route to host`",
  *suspects(model) {
    for (const target of serviceTargets(model))
      for (const [k, { ip, port }] of target.endpoints.entries()) {
        const near = [
          ...model.nodes.map(({ podCIDR }) => podCIDR),
          ...model.segments.map(({ subnet }) => subnet),
        ];
        if (listenersAt(model, ip) !== null || !near.some((block) => within(block, ip))) continue;
        const { namespace, name, ref, protocol, endpoints } = target;
        const caller = sandboxPods(model).find((one) =>
          endpoints.every((endpoint) => endpoint.ip !== one.ip),
        );
        const from = caller === undefined ? `node/${model.nodes[0]!.name}` : podRef(caller);
        const [slice] = slicesOf(model, namespace, name);
        const sliceName = slice?.metadata?.name ?? name;
        yield {
          subject: { kind: "Service", namespace, name, path: [] },
          message: `${namespace}/${name} sends 1 in ${endpoints.length} requests to ${ip}, an address that nobody has`,
          mend: `kubectl -n ${namespace} edit endpointslice ${sliceName}    # take ${ip} out; who wrote it must keep it up to date`,
          observe(current) {
            const request = { from, to: ref, protocol };
            const trace = tryFlowTo(current, request, `${ip}:${port}`, k) ?? tryFlow(current, request);
            return observation(
              trace,
              eventsOf(trace, "drop").some(({ reason }) => reason === "NEIGH_FAILED"),
            );
          },
          mended: (current) => {
            const slices = slicesOf(current, namespace, name);
            return editSlices(current, (one) =>
              slices.includes(one)
                ? { ...one, endpoints: one.endpoints.filter(({ addresses }) => !addresses.includes(ip)) }
                : one,
            );
          },
        };
      }
  },
};
