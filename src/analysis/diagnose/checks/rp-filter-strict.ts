import type { ClusterModel } from "../../../cluster/objects/model.ts";
import type { TraceRequest } from "../../../trace/request.ts";
import { addressesOf, crossNodeFlows, flowToHost, flowToPod, podRef, sandboxPods } from "../cast.ts";
import type { Check, Subject } from "../check.ts";
import { editHost, editNode, withSysctl } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { eventsOf, observation, tryFlow } from "../try-flow.ts";

const RP_FILTER = /\.rp_filter$/;
const ALL = "net.ipv4.conf.all.rp_filter";

/** Strict reverse-path filtering drops what comes by another device than the way back leads by. */
export const rpFilterStrict: Check = {
  id: "rp-filter-strict",
  severity: "error",
  symptom:
    "some flows vanish on arrival without a trace in any rule counter: those whose way back is another",
  *suspects(model) {
    const machines: { name: string; sysctl: Record<string, number>; subject: (key: string) => Subject }[] = [
      ...model.nodes.map(({ name, sysctl }) => ({
        name,
        sysctl,
        subject: (key: string): Subject => ({ kind: "Node", name, setting: ["sysctl", key] }),
      })),
      ...model.hosts.map(({ name, sysctl }) => ({
        name,
        sysctl,
        subject: (key: string): Subject => ({ kind: "Host", name, path: ["spec", "sysctl", key] }),
      })),
    ];
    for (const { name, sysctl, subject } of machines) {
      const key = Object.keys(sysctl).find((one) => RP_FILTER.test(one) && sysctl[one] === 1);
      if (key === undefined) continue;
      for (const request of flows(model))
        yield {
          subject: subject(key),
          message: `${key} is 1 (strict) on ${name}, and packets reach it by another device than the one that leads back to their source`,
          mend: `sysctl -w ${ALL}=2    # on ${name}: loose; the stricter of all and the device counts, and 2 goes before 1`,
          observe(current) {
            const trace = tryFlow(current, request);
            const filtered = eventsOf(trace, "drop").some(
              ({ netns, reason }) => netns === name && reason === "IP_RPFILTER",
            );
            return observation(trace, filtered);
          },
          mended: (current) => {
            const loose = withSysctl({ [ALL]: 2 });
            return editHost(editNode(current, name, loose), name, loose);
          },
        };
    }
  },
};

/** One flow of each kind: nodes and pods to Services, pods to pods, everybody to outside machines. */
function* flows(model: ClusterModel): Generator<TraceRequest> {
  const senders = [
    ...model.nodes.map(({ name }) => `node/${name}`),
    ...model.nodes.flatMap((node) => sandboxPods(model, node).slice(0, 1).map(podRef)),
  ];
  for (const from of senders) {
    for (const { ref: to, protocol, endpoints } of serviceTargets(model))
      if (endpoints.length > 0) yield { from, to, protocol };
    for (const host of model.hosts)
      for (const address of addressesOf(host)) yield flowToHost(from, host, address);
  }
  for (const node of model.nodes)
    for (const { from, to } of crossNodeFlows(model, node)) yield flowToPod(podRef(from), to);
}
