import type { ClusterModel } from "../../../cluster/objects/model.ts";
import type { Check, Observation } from "../check.ts";
import { withoutService } from "../edit.ts";
import { type ServiceTarget, serviceTargets } from "../service-target.ts";
import { flowText, freshNetworkOf, observation, outcomeText, translatedTo } from "../try-flow.ts";
import { ask, askerOf, changeTo, SOURCE_PORT } from "./udp-history.ts";

/**
 * A UDP client that was there before the Service's rules has a connection without translation, and keeps it. Where
 * kube-proxy deletes no connections at all, that is what `udp-stale-conntrack` says; here it deletes, but not these.
 */
export const udpBlackholeAtStart: Check = {
  id: "udp-blackhole-at-start",
  severity: "error",
  symptom:
    "a UDP client that was started before the Service had rules never gets an answer, however long it goes on",
  *suspects(model) {
    if (!model.kubeProxy.conntrackCleanup || model.kubeProxy.version !== "1.7") return;
    for (const target of serviceTargets(model)) {
      const asker = target.protocol === "udp" && target.endpoints.length > 0 ? askerOf(model, target) : null;
      if (asker === null) continue;
      yield {
        subject: { kind: "Cluster", path: ["spec", "kubeProxy", "version"] },
        message: `kube-proxy ${model.kubeProxy.version} leaves connections alone that were made before a Service had rules: clients of ${target.ref} that were first stay untranslated`,
        mend: `conntrack -D -p udp --orig-dst ${target.service.spec?.clusterIP}    # or a kube-proxy that looks at the whole table: 1.32`,
        observe: (current) => history(current, asker, target),
        mended: (current) => ({ ...current, kubeProxy: { ...current.kubeProxy, version: "1.32" } }),
      };
    }
  },
};

function history(model: ClusterModel, from: string, target: ServiceTarget): Observation {
  const cluster = freshNetworkOf(withoutService(model, target.namespace, target.name));
  // a resolver knows the address without asking for the Service
  const to = `${target.service.spec?.clusterIP}:${target.port.port}`;
  ask(cluster, from, { ...target, ref: to });
  changeTo(cluster, model);
  const trace = ask(cluster, from, target);
  return observation(trace, translatedTo(trace) === null, {
    flow: `${flowText(trace.request)} again from port ${SOURCE_PORT}, the first time before the Service was there`,
    outcome: `${translatedTo(trace) === null ? "not translated" : `translated to ${translatedTo(trace)}`}: ${outcomeText(trace)}`,
  });
}
