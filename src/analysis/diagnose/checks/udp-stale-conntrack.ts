import type { ClusterModel } from "../../../cluster/objects/model.ts";
import type { Check, Observation } from "../check.ts";
import { type ServiceTarget, serviceTargets } from "../service-target.ts";
import { flowText, freshNetworkOf, observation, outcomeText, translatedTo } from "../try-flow.ts";
import { ask, askerOf, changeTo, redeploy, SOURCE_PORT } from "./udp-history.ts";

/** A UDP client that keeps its port goes on to an endpoint that is gone: its connection is never decided anew. */
export const udpStaleConntrack: Check = {
  id: "udp-stale-conntrack",
  severity: "error",
  symptom:
    "after a redeploy a UDP client that keeps its source port (DNS, statsd) talks to an address nobody has any more",
  *suspects(model) {
    if (model.kubeProxy.conntrackCleanup) return;
    for (const target of serviceTargets(model)) {
      const asker = target.protocol === "udp" ? askerOf(model, target) : null;
      if (asker === null) continue;
      yield {
        subject: { kind: "Cluster", path: ["spec", "kubeProxy", "conntrackCleanup"] },
        message: `kube-proxy does not delete connections to endpoints that are gone: flows to ${target.ref} outlive a redeploy`,
        mend: "conntrack -D -p udp --orig-dst CLUSTER_IP --dst-nat OLD_POD_IP    # what kube-proxy does when conntrack-tools are installed",
        observe: (current) => history(current, asker, target),
        mended: (current) => ({ ...current, kubeProxy: { ...current.kubeProxy, conntrackCleanup: true } }),
      };
    }
  },
};

function history(model: ClusterModel, from: string, target: ServiceTarget): Observation | null {
  const cluster = freshNetworkOf(model);
  const first = ask(cluster, from, target);
  const old = target.endpoints.find(({ ip, port }) => translatedTo(first) === `${ip}:${port}`);
  const after = old?.pod ? redeploy(model, old.pod) : null;
  if (old === undefined || after === null) return null;
  changeTo(cluster, after);
  const trace = ask(cluster, from, target);
  return observation(trace, translatedTo(trace) === `${old.ip}:${old.port}`, {
    flow: `${flowText(trace.request)} again from port ${SOURCE_PORT}, one second after its endpoint was redeployed`,
    outcome: `translated to ${translatedTo(trace)}${translatedTo(trace)?.startsWith(`${old.ip}:`) ? ", which is gone" : ""}: ${outcomeText(trace)}`,
  });
}
