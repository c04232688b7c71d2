import { toBlock, toText } from "../../../cluster/objects/address.ts";
import type { ClusterModel, RouteModel } from "../../../cluster/objects/model.ts";
import type { Trace } from "../../../trace/trace.ts";
import { flowTo, podRef, sandboxPods } from "../cast.ts";
import type { Check, Subject, Suspect } from "../check.ts";
import { editHost, editNode } from "../edit.ts";
import { eventsOf, observation, outcomeText, tryFlow } from "../try-flow.ts";

/** Machines that send a prefix to each other until the TTL is used up. */
export const routingLoop: Check = {
  id: "routing-loop",
  severity: "error",
  symptom: "`time to live exceeded`; traceroute shows the same machines in turn",
  *suspects(model) {
    for (const { name, routes = [] } of model.nodes)
      for (const [index, route] of routes.entries())
        for (const from of senders(model, name))
          yield suspect(name, { kind: "Node", name, setting: ["routes", index] }, from, route);
    for (const { name, routes } of model.hosts)
      for (const [index, route] of routes.entries())
        for (const from of senders(model, name))
          yield suspect(name, { kind: "Host", name, path: ["spec", "routes", index] }, from, route);
  },
};

/** Outside machines, pods of the node, and the machine itself: what is masqueraded comes back as a martian, not in a loop. */
function senders(model: ClusterModel, name: string): string[] {
  const pods = sandboxPods(model).filter(({ nodeName }) => nodeName === name);
  return [
    ...model.hosts.filter((host) => host.name !== name).map((host) => `host/${host.name}`),
    ...pods.slice(0, 1).map(podRef),
    model.nodes.some((node) => node.name === name) ? `node/${name}` : `host/${name}`,
  ];
}

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
      // whether the sender hears of it is another matter: redirects use up the allowance for ICMP errors
      const expired = eventsOf(trace, "drop").some(
        ({ reason, location }) => reason === "IP_INHDR" && location === "ip_forward",
      );
      return observation(trace, expired && loop !== null, { outcome });
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
