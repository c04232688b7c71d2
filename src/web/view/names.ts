/** The sources and targets of a topology as they are typed, for completion. */
import type { PodView, PortView, ServiceView, TopologyView } from "./api.ts";

/** Something that can be typed. */
export interface Name {
  /** `pod/client`, `svc/nginx:80`. */
  readonly text: string;
  /** Address, place or the like. */
  readonly note: string;
}

const qualified = ({ namespace, name }: { namespace: string; name: string }): string =>
  namespace === "default" ? name : `${namespace}/${name}`;

/** How a pod is called in a question, without a port. */
export const podName = (pod: PodView): string => `pod/${qualified(pod)}`;
/** How a Service is called in a question, without a port. */
export const serviceName = (service: ServiceView): string => `svc/${qualified(service)}`;

/** Everything that can send. */
export function sourceNames({ pods, nodes, hosts }: TopologyView): Name[] {
  return [
    ...pods.map((pod) => ({ text: podName(pod), note: `${pod.ip} on ${pod.node}` })),
    ...nodes.map(({ name, ip }) => ({ text: `node/${name}`, note: ip })),
    ...hosts.map(({ name, nics }) => ({ text: `host/${name}`, note: addressOf(nics[0]?.addresses[0]) })),
  ];
}

const addressOf = (address: string | undefined): string => address?.split("/")[0] ?? "";

/** Everything that can be sent to, by each of its ports. */
export function targetNames(view: TopologyView): Name[] {
  const { services, pods, nodes, hosts } = view;
  return [
    ...services.flatMap(serviceTargets),
    ...pods.flatMap((pod) => withPorts(podName(pod), pod.ports, pod.ip)),
    ...nodes.flatMap(({ name, ip, ports }) => withPorts(`node/${name}`, ports, ip)),
    ...hosts.flatMap(({ name, nics, ports }) =>
      withPorts(`host/${name}`, ports, addressOf(nics[0]?.addresses[0])),
    ),
    ...services.flatMap((service) => nodePortTargets(service, view)),
  ];
}

function withPorts(name: string, ports: readonly PortView[], ip: string): Name[] {
  if (ports.length === 0) return [{ text: name, note: `${ip}, icmp only` }];
  return ports.map(({ port, protocol }) => ({ text: `${name}:${port}`, note: `${protocol} ${ip}` }));
}

function serviceTargets(service: ServiceView): Name[] {
  const { clusterIP, ports, type, external } = service;
  if (clusterIP === null) return [];
  const named = ports.map(({ port, protocol }) => ({
    text: `${serviceName(service)}:${port}`,
    note: `${protocol} ${type} ${clusterIP}`,
  }));
  const outside = external.flatMap((ip) =>
    ports.map(({ port }) => ({ text: `${ip}:${port}`, note: `${type} ${service.name}` })),
  );
  return [...named, ...outside];
}

const nodePortTargets = ({ name, ports }: ServiceView, { nodes }: TopologyView): Name[] =>
  ports.flatMap(({ nodePort }) =>
    nodePort === null || nodes.length === 0
      ? []
      : nodes.map((node) => ({ text: `node/${node.name}:${nodePort}`, note: `node port of ${name}` })),
  );

/** The names that hold every word of what was typed, those that begin with it first; at most `most`. */
export function matching(names: readonly Name[], typed: string, most: number): Name[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const whole = typed.trim().toLowerCase();
  const first: Name[] = [];
  const later: Name[] = [];
  for (const name of names) {
    const text = name.text.toLowerCase();
    const note = name.note.toLowerCase();
    if (!words.every((word) => text.includes(word) || note.includes(word))) continue;
    (text.startsWith(whole) ? first : later).push(name);
    if (first.length >= most) break;
  }
  return [...first, ...later].slice(0, most);
}
