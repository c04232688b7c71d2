/** Something on the map that has been chosen, what is known of it, and what can be asked of it. */
import type { HostView, NodeView, PodView, ServiceView } from "../view/api.ts";
import type { Rect } from "../view/map-layout.ts";
import { podName, serviceName } from "../view/names.ts";
import { netnsOf } from "../view/tiles.ts";

export type Item = { readonly id: string; readonly rect: Rect } & (
  | { readonly kind: "pod"; readonly pod: PodView }
  | { readonly kind: "node"; readonly node: NodeView }
  | { readonly kind: "host"; readonly host: HostView }
  | { readonly kind: "service"; readonly service: ServiceView }
);

export interface ItemFacts {
  readonly title: string;
  readonly facts: readonly string[];
  /** As a question's source; null when it sends nothing. */
  readonly source: string | null;
  /** As a question's target, by each port. */
  readonly targets: readonly string[];
  /** The namespace to look into; null when it has none. */
  readonly netns: string | null;
}

const MOST_TARGETS = 6;
const some = (targets: readonly string[]): readonly string[] => targets.slice(0, MOST_TARGETS);

export function factsOf(item: Item): ItemFacts {
  switch (item.kind) {
    case "pod": {
      const { pod } = item;
      const name = podName(pod);
      const facts = [
        `${pod.ip} on ${pod.node}`,
        pod.ready ? "ready" : "not ready",
        ...(pod.hostNetwork ? ["in the node's network"] : []),
      ];
      const targets = some(pod.ports.map(({ port }) => `${name}:${port}`));
      return { title: name, facts, source: name, targets, netns: netnsOf(pod) };
    }
    case "node": {
      const { name, ip, podCIDR, ports } = item.node;
      const text = `node/${name}`;
      const targets = some(ports.map(({ port }) => `${text}:${port}`));
      return { title: text, facts: [ip, `pods ${podCIDR}`], source: text, targets, netns: name };
    }
    case "host": {
      const { name, nics, ports } = item.host;
      const text = `host/${name}`;
      const facts = nics.map((nic) => `${nic.name} ${nic.addresses.join(", ")} on ${nic.segment}`);
      const targets = some(ports.map(({ port }) => `${text}:${port}`));
      return { title: text, facts, source: text, targets, netns: name };
    }
    case "service": {
      const { service } = item;
      const name = serviceName(service);
      const facts = [service.type, service.clusterIP ?? "no address", `${service.endpoints} ready endpoints`];
      const inside = service.clusterIP === null ? [] : service.ports.map(({ port }) => `${name}:${port}`);
      const outside = service.external.flatMap((ip) => service.ports.map(({ port }) => `${ip}:${port}`));
      return { title: name, facts, source: null, targets: some([...inside, ...outside]), netns: null };
    }
  }
}
