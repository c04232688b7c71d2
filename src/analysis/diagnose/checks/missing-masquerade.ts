import { flowToHost, podRef, sandboxPods } from "../cast.ts";
import type { Check } from "../check.ts";
import { observation, tryFlow, works } from "../try-flow.ts";

/** Pods' addresses leave the cluster as they are, and the outside has no way back to them. */
export const missingMasquerade: Check = {
  id: "missing-masquerade",
  severity: "error",
  symptom: "pods do not reach anything outside the cluster, while their nodes do",
  *suspects(model) {
    if (model.flannel.ipMasq) return;
    for (const node of model.nodes) {
      const [pod] = sandboxPods(model, node);
      if (pod === undefined || (node.docker.iptables && node.docker.ipMasq)) continue;
      for (const host of model.hosts) {
        const request = flowToHost(podRef(pod), host);
        yield {
          subject: { kind: "Node", name: node.name, setting: ["docker", "ipMasq"] },
          message: `neither docker nor flannel masquerades what pods on ${node.name} send out of the cluster, and ${host.name} has no way back to ${node.podCIDR}`,
          mend: "flanneld --ip-masq    # spec.flannel.ipMasq: true",
          observe(current) {
            const trace = tryFlow(current, request);
            const untranslated = trace.delivered?.source.split(":")[0] === pod.ip;
            return observation(trace, untranslated && !works(trace));
          },
          mended: (current) => ({ ...current, flannel: { ...current.flannel, ipMasq: true } }),
        };
      }
    }
  },
};
