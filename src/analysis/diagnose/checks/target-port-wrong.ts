import { podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editSlices } from "../edit.ts";
import { listenersAt, serviceTargets, slicesOf } from "../service-target.ts";
import { observation, tryFlowTo } from "../try-flow.ts";

/** The Service sends to a port on which nobody listens. */
export const targetPortWrong: Check = {
  id: "target-port-wrong",
  severity: "error",
  symptom: "connections to the Service are refused, although its pods are ready and serve",
  *suspects(model) {
    for (const target of serviceTargets(model))
      for (const [k, { ip, port }] of target.endpoints.entries()) {
        const { namespace, name, ref, index } = target;
        const protocol = target.port.protocol ?? "TCP";
        const listening = listenersAt(model, ip);
        if (listening === null || listening.some((one) => one.port === port && one.protocol === protocol))
          continue;
        const own = listening.filter((one) => one.protocol === protocol).map((one) => one.port);
        const caller = sandboxPods(model).find((one) => one.ip !== ip);
        const from = caller === undefined ? `node/${model.nodes[0]!.name}` : podRef(caller);
        const listens =
          own.length === 0
            ? `nobody listens on ${protocol} there`
            : `there it is ${own.join(", ")} that is listened on`;
        yield {
          subject: { kind: "Service", namespace, name, path: ["spec", "ports", index, "targetPort"] },
          message: `${namespace}/${name} sends to port ${port} of ${ip}: ${listens}`,
          mend: `kubectl -n ${namespace} patch svc ${name} --type json -p '[{"op":"replace","path":"/spec/ports/${index}/targetPort","value":${own[0] ?? "PORT"}}]'`,
          observe(current) {
            const [right] = slicesOf(current, namespace, name).flatMap((slice) => slice.ports ?? []);
            const aim = current === model ? port : (right?.port ?? port);
            const trace = tryFlowTo(current, { from, to: ref, protocol: target.protocol }, `${ip}:${aim}`, k);
            return trace === null ? null : observation(trace, trace.verdict === "refused");
          },
          mended(current) {
            const right = own[0];
            if (right === undefined) return null;
            const slices = slicesOf(current, namespace, name);
            return editSlices(current, (slice) =>
              slices.includes(slice)
                ? {
                    ...slice,
                    ports: (slice.ports ?? []).map((one) =>
                      one.port === port ? { ...one, port: right } : one,
                    ),
                  }
                : slice,
            );
          },
        };
      }
  },
};
