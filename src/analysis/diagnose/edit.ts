/** Copies of a model with one thing changed. */
import type { Service, ServiceSpec } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import type {
  ClusterModel,
  DockerModel,
  HostModel,
  NodeModel,
  PodModel,
} from "../../cluster/objects/model.ts";

type Change<T> = (one: T) => T;

export const editNode = (model: ClusterModel, name: string, change: Change<NodeModel>): ClusterModel => ({
  ...model,
  nodes: model.nodes.map((node) => (node.name === name ? change(node) : node)),
});

export const editNodes = (model: ClusterModel, change: Change<NodeModel>): ClusterModel => ({
  ...model,
  nodes: model.nodes.map(change),
});

export const editHost = (model: ClusterModel, name: string, change: Change<HostModel>): ClusterModel => ({
  ...model,
  hosts: model.hosts.map((host) => (host.name === name ? change(host) : host)),
});

export const editPod = (
  model: ClusterModel,
  { namespace, name }: Pick<PodModel, "namespace" | "name">,
  change: Change<PodModel>,
): ClusterModel => ({
  ...model,
  pods: model.pods.map((pod) => (pod.namespace === namespace && pod.name === name ? change(pod) : pod)),
});

export const withSysctl =
  (settings: Readonly<Record<string, number>>) =>
  <T extends { sysctl: Record<string, number> }>(machine: T): T => ({
    ...machine,
    sysctl: { ...machine.sysctl, ...settings },
  });

export const withDocker =
  (settings: Partial<DockerModel>): Change<NodeModel> =>
  (node) => ({ ...node, docker: { ...node.docker, ...settings } });

/** More text for the node's iptables-restore: commands of one table. */
export const withRules =
  (table: string, ...lines: readonly string[]): Change<NodeModel> =>
  (node) => ({
    ...node,
    iptables: `${node.iptables ?? ""}\n*${table}\n${lines.join("\n")}\nCOMMIT\n`,
  });

const isNamed = (namespace: string, name: string) => (service: Service) =>
  service.metadata?.name === name && (service.metadata?.namespace ?? "default") === namespace;

export const editService = (
  model: ClusterModel,
  namespace: string,
  name: string,
  change: Change<Service>,
): ClusterModel => ({
  ...model,
  services: model.services.map((one) => (isNamed(namespace, name)(one) ? change(one) : one)),
});

export const editServiceSpec = (
  model: ClusterModel,
  namespace: string,
  name: string,
  change: Change<ServiceSpec>,
): ClusterModel =>
  editService(model, namespace, name, (service) => ({ ...service, spec: change(service.spec ?? {}) }));

export const withoutService = (model: ClusterModel, namespace: string, name: string): ClusterModel => ({
  ...model,
  services: model.services.filter((one) => !isNamed(namespace, name)(one)),
});

export const editSlices = (model: ClusterModel, change: Change<EndpointSlice>): ClusterModel => ({
  ...model,
  endpointSlices: model.endpointSlices.map(change),
});

/** Replaces addresses in all EndpointSlices. */
export const moveEndpoints = (model: ClusterModel, moved: ReadonlyMap<string, string>): ClusterModel =>
  editSlices(model, (slice) => ({
    ...slice,
    endpoints: slice.endpoints.map((endpoint) => ({
      ...endpoint,
      addresses: endpoint.addresses.map((address) => moved.get(address) ?? address),
    })),
  }));
