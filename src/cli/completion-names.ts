import type { ClusterModel } from "../cluster/objects/model.ts";
import { nameOf, namespaceOf } from "../cluster/objects/store.ts";
import { topologyNames } from "../topology/load/names.ts";

const DEFAULT_NAMESPACE = "default";

/** Who may send, as `--from` wants it. `typed`: what stands there already. */
export function sources(model: ClusterModel, typed: string): string[] {
  const { pods, nodes, hosts } = topologyNames(model);
  return [
    ...pods.map((pod) => `pod/${shortest(pod, typed, "pod")}`),
    ...nodes.map((node) => `node/${node}`),
    ...hosts.map((host) => `host/${host}`),
  ];
}

/** Whom to, as `--to` wants it: Services and pods with each of their ports, and without one (icmp). */
export function targets(model: ClusterModel, typed: string): string[] {
  const services = model.services.flatMap((service) => {
    const name = shortest(`${namespaceOf(service)}/${nameOf(service)}`, typed, "svc");
    return (service.spec?.ports ?? []).map(({ port }) => `svc/${name}:${port}`);
  });
  const pods = model.pods.flatMap(({ namespace, name, containers }) => {
    const pod = `pod/${shortest(`${namespace}/${name}`, typed, "pod")}`;
    const ports = containers.flatMap(({ ports }) => ports.map(({ containerPort }) => containerPort));
    return [pod, ...[...new Set(ports)].map((port) => `${pod}:${port}`)];
  });
  const machines = [
    ...model.nodes.map(({ name, listen }) => ({ at: `node/${name}`, listen })),
    ...model.hosts.map(({ name, listen }) => ({ at: `host/${name}`, listen })),
  ].flatMap(({ at, listen }) => [at, ...listen.map(({ port }) => `${at}:${port}`)]);
  return [...services, ...pods, ...machines];
}

/** Names of nodes, as `--node` wants it. */
export const nodeNames = (model: ClusterModel): string[] => topologyNames(model).nodes;

/** The name without its namespace when that is the default one, unless the namespace is being typed. */
function shortest(name: string, typed: string, kind: string): string {
  const prefix = `${DEFAULT_NAMESPACE}/`;
  return name.startsWith(prefix) && !typed.startsWith(`${kind}/${prefix}`) ? name.slice(prefix.length) : name;
}
