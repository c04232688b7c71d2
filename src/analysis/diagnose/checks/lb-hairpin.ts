import type { LoadBalancerIngress, Service } from "kubernetes-types/core/v1.js";
import { machineOf, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { editService } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { observation, tryFlow } from "../try-flow.ts";

type Ingress = LoadBalancerIngress & { ipMode?: string };
const ingressOf = ({ status }: Service): Ingress[] => status?.loadBalancer?.ingress ?? [];

/** Pods' traffic to a load balancer that is a machine of its own is taken a short cut by the nodes' rules. */
export const lbHairpin: Check = {
  id: "lb-hairpin",
  severity: "warning",
  symptom:
    "through the load balancer's address clients outside get TLS, PROXY protocol or a log entry; pods do not",
  *suspects(model) {
    for (const target of serviceTargets(model)) {
      const { namespace, name, service, port, protocol, endpoints } = target;
      if (service.spec?.type !== "LoadBalancer" || endpoints.length === 0) continue;
      const [pod] = sandboxPods(model).filter(({ ip }) => !endpoints.some((one) => one.ip === ip));
      if (pod === undefined) continue;
      for (const [index, { ip = "", ipMode }] of ingressOf(service).entries()) {
        const owner = machineOf(model, ip);
        if (owner === null || ipMode === "Proxy") continue;
        yield {
          subject: { kind: "Service", namespace, name, path: ["status", "loadBalancer", "ingress", index] },
          message: `${ip} is ${owner}'s, yet nodes take what pods send there straight to the endpoints of ${namespace}/${name}`,
          mend: `status.loadBalancer.ingress[${index}].ipMode: Proxy    # set by the load balancer's controller; Kubernetes 1.30 and later`,
          observe(current) {
            const trace = tryFlow(current, { from: podRef(pod), to: `${ip}:${port.port}`, protocol });
            return observation(trace, trace.delivered !== null && trace.delivered.netns !== owner);
          },
          mended: (current) =>
            editService(current, namespace, name, (one) => ({
              ...one,
              status: {
                ...one.status,
                loadBalancer: {
                  ingress: ingressOf(one).map((each, i) =>
                    i === index ? { ...each, ipMode: "Proxy" } : each,
                  ),
                },
              },
            })),
        };
      }
    }
  },
};
