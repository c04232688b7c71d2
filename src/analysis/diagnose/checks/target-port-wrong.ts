import type { EndpointPort } from "kubernetes-types/discovery/v1.js";
import type { ClusterModel } from "../../../cluster/objects/model.ts";
import { podRef, sandboxPods } from "../cast.ts";
import type { Check, Suspect } from "../check.ts";
import { editSlices } from "../edit.ts";
import { listenersAt, type ServiceTarget, serviceTargets, slicesOf } from "../service-target.ts";
import { observation, tryFlowTo } from "../try-flow.ts";

/** The Service sends to a port on which nobody listens. */
export const targetPortWrong: Check = {
  id: "target-port-wrong",
  severity: "error",
  symptom: "connections to the Service are refused, although its pods are ready and serve",
  *suspects(model) {
    for (const target of serviceTargets(model))
      for (const [k, { ip, port }] of target.endpoints.entries()) {
        const protocol = target.port.protocol ?? "TCP";
        const listening = listenersAt(model, ip)?.filter((one) => one.protocol === protocol);
        if (listening === undefined || listening.some((one) => one.port === port)) continue;
        const own = listening.map((one) => one.port);
        yield suspect(model, target, { k, ip, port, own });
      }
  },
};

/** An endpoint, which it is in the order of the rules, and the ports that its address does listen on. */
interface DeafEndpoint {
  readonly k: number;
  readonly ip: string;
  readonly port: number;
  readonly own: readonly number[];
}

function suspect(model: ClusterModel, target: ServiceTarget, { k, ip, port, own }: DeafEndpoint): Suspect {
  const { namespace, name, ref, index, protocol } = target;
  const caller = sandboxPods(model).find((one) => one.ip !== ip);
  const from = caller === undefined ? `node/${model.nodes[0]!.name}` : podRef(caller);
  const isTargets = (one: { name?: string }) => (one.name ?? "") === (target.port.name ?? "");
  const elsewhere = new Set(
    slicesOf(model, namespace, name).flatMap((slice) => (slice.ports ?? []).map((one) => one.port)),
  );
  // a port that another port of the Service leads to is not the one that was meant
  const right = own.find((one) => !elsewhere.has(one)) ?? own[0];
  const listens =
    own.length === 0 ? "nobody listens there" : `there it is ${own.join(", ")} that is listened on`;
  return {
    subject: { kind: "Service", namespace, name, path: ["spec", "ports", index, "targetPort"] },
    message: `${namespace}/${name} sends to port ${port} of ${ip}: ${listens}`,
    mend: `kubectl -n ${namespace} patch svc ${name} --type json -p '[{"op":"add","path":"/spec/ports/${index}/targetPort","value":${right ?? "PORT"}}]'`,
    observe(current) {
      const numbers = slicesOf(current, namespace, name)
        .flatMap((slice) => slice.ports ?? [])
        .flatMap((one) => (isTargets(one) && one.port !== undefined ? [one.port] : []));
      const aim = numbers.includes(port) ? port : (numbers[0] ?? port);
      const trace = tryFlowTo(current, { from, to: ref, protocol }, `${ip}:${aim}`, k);
      return trace === null ? null : observation(trace, trace.verdict === "refused");
    },
    mended(current) {
      if (right === undefined) return null;
      const slices = slicesOf(current, namespace, name);
      const corrected = (ports: readonly EndpointPort[]) =>
        ports.map((one) => (one.port === port && isTargets(one) ? { ...one, port: right } : one));
      return editSlices(current, (slice) =>
        slices.includes(slice) ? { ...slice, ports: corrected(slice.ports ?? []) } : slice,
      );
    },
  };
}
