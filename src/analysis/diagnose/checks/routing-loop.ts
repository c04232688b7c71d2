import { toBlock, toText } from "../../../cluster/objects/address.ts";
import type { RouteModel } from "../../../cluster/objects/model.ts";
import type { Trace } from "../../../trace/trace.ts";
import { flowTo, podRef, sandboxPods } from "../cast.ts";
import type { Check, Subject, Suspect } from "../check.ts";
import { editHost, editNode } from "../edit.ts";
import { observation, outcomeText, tryFlow } from "../try-flow.ts";

/** Machines that send a prefix to each other until the TTL is used up. */
export const routingLoop: Check = {
  id: "routing-loop",
  severity: "error",
  symptom: "`time to live exceeded`; traceroute shows the same machines in turn",
  *suspects(model) {
    for (const { name, routes = [] } of model.nodes)
      for (const [index, route] of routes.entries()) {
        const [pod] = sandboxPods(model).filter(({ nodeName }) => nodeName === name);
        const from = pod === undefined ? `node/${name}` : podRef(pod);
        yield suspect(name, { kind: "Node", name, setting: ["routes", index] }, from, route);
      }
    for (const { name, routes } of model.hosts)
      for (const [index, route] of routes.entries())
        yield suspect(name, { kind: "Host", name, path: ["spec", "routes", index] }, `host/${name}`, route);
  },
};

function suspect(name: string, subject: Subject, from: string, route: RouteModel): Suspect {
  const without = (routes: readonly RouteModel[]) =>
    routes.filter(({ to, via }) => to !== route.to || via !== route.via);
  const { base, size } = toBlock(route.to);
  const address = toText(size === 1 ? base : base + 1);
  return {
    subject,
    message: `${name} sends ${route.to} to ${route.via}, which sends it back`,
    mend: `ip route del ${route.to} via ${route.via}    # on ${name}, or on the machine that sends it back`,
    observe(model) {
      const trace = tryFlow(model, flowTo(from, address, []));
      const loop = loopOf(trace, name);
      const outcome = loop === null ? outcomeText(trace) : `${outcomeText(trace)}; it went round ${loop}`;
      return observation(trace, trace.verdict === "expired" && loop !== null, { outcome });
    },
    mended: (model) =>
      editHost(
        editNode(model, name, (node) => ({ ...node, routes: without(node.routes ?? []) })),
        name,
        (host) => ({ ...host, routes: without(host.routes) }),
      ),
  };
}

/** How often a machine may be passed without a loop: there and back through a load balancer. */
const PASSES = 3;

/** The machines of a loop through `name`, in turn; null when there is none. */
function loopOf({ path }: Trace, name: string): string | null {
  const hops: string[] = [];
  for (const { netns, direction } of path)
    if (direction === "rx" && hops[hops.length - 1] !== netns) hops.push(netns);
  const passes = hops.flatMap((netns, i) => (netns === name ? [i] : []));
  if (passes.length < PASSES) return null;
  return hops.slice(passes[0], passes[1]! + 1).join(" > ");
}
