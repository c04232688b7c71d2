/** A cluster as the page draws it: {@link TopologyView}. */
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { serviceAddresses } from "../../cluster/build/service-addresses.ts";
import { controllerOf } from "../../cluster/controllers/owner.ts";
import type {
  ClusterModel,
  HostModel,
  ListenPort,
  NicModel,
  NodeModel,
  PodModel,
} from "../../cluster/objects/model.ts";
import type {
  HostView,
  NicView,
  NodeView,
  PodView,
  PortView,
  ServiceView,
  TopologyView,
} from "../view/api.ts";

export function topologyView(cluster: SimulatedCluster): TopologyView {
  const { model } = cluster;
  const endpoints = readyEndpoints(model);
  return {
    name: model.name,
    serviceCIDR: model.serviceCIDR,
    podNetwork: model.flannel.network,
    backend: model.flannel.backend.type,
    segments: model.segments.map(({ name, subnet }) => ({ name, subnet })),
    nodes: model.nodes.map((node) => nodeView(node, model)),
    hosts: model.hosts.map(hostView),
    pods: model.pods.map((pod) => podView(pod, cluster)),
    services: model.services.map((service) => {
      const { clusterIP, externalIPs, ingressIPs, ports } = serviceAddresses(service);
      const namespace = service.metadata?.namespace ?? "default";
      const name = service.metadata?.name ?? "";
      return {
        namespace,
        name,
        type: service.spec?.type ?? "ClusterIP",
        clusterIP,
        external: [...externalIPs, ...ingressIPs],
        ports: ports.map((port) => ({ ...port, protocol: lowerCase(port.protocol) })),
        endpoints: endpoints.get(`${namespace}/${name}`) ?? 0,
      } satisfies ServiceView;
    }),
  };
}

const lowerCase = (protocol: ListenPort["protocol"]): PortView["protocol"] =>
  protocol === "UDP" ? "udp" : protocol === "SCTP" ? "sctp" : "tcp";

const listening = ({ port, protocol }: ListenPort): PortView => ({
  name: null,
  port,
  protocol: lowerCase(protocol),
});

const nicView = ({ name, segment, addresses }: NicModel): NicView => ({ name, segment, addresses });

function nodeView(node: NodeModel, { flannel: { backend } }: ClusterModel): NodeView {
  const tunnel =
    backend.type === "udp" ? "flannel0" : backend.type === "vxlan" ? `flannel.${backend.vni}` : null;
  return {
    name: node.name,
    ip: node.internalIP,
    podCIDR: node.podCIDR,
    nic: nicView(node.nic),
    bridge: node.docker.bridge,
    bridgeAddress: node.docker.address,
    tunnel,
    ports: node.listen.map(listening),
  };
}

const hostView = ({ name, nics, listen }: HostModel): HostView => ({
  name,
  nics: nics.map(nicView),
  ports: listen.map(listening),
});

function podView(pod: PodModel, cluster: SimulatedCluster): PodView {
  const { namespace, name } = pod;
  const object = cluster.model.store.pods.get(`${namespace}/${name}`);
  const owner = object === undefined ? null : controllerOf(object);
  return {
    namespace,
    name,
    node: pod.nodeName,
    ip: pod.ip,
    hostNetwork: pod.hostNetwork,
    ready: pod.ready && !pod.terminating,
    group: withoutSuffix(owner?.name ?? name),
    veth: cluster.pod(namespace, name)?.sandbox?.veth.name ?? null,
    ports: pod.containers.flatMap(({ ports }) =>
      ports.map(({ name: portName, containerPort, protocol }) => ({
        name: portName,
        port: containerPort,
        protocol: lowerCase(protocol),
      })),
    ),
  };
}

/**
 * The name without what controllers append: five random characters, a template's hash, an ordinal. They draw from an
 * alphabet without vowels (apimachinery: util/rand), but older names have any letter and a digit.
 */
export function withoutSuffix(name: string): string {
  const isRandom = (word: string): boolean =>
    /^[bcdfghjklmnpqrstvwxz2456789]+$/.test(word) || /\d/.test(word);
  const words = name.split("-");
  const last = words.at(-1)!;
  if (words.length > 1 && (/^\d+$/.test(last) || (/^[a-z0-9]{5}$/.test(last) && isRandom(last)))) words.pop();
  const hash = words.at(-1)!;
  if (words.length > 1 && /^[a-z0-9]{8,10}$/.test(hash) && isRandom(hash)) words.pop();
  return words.join("-");
}

/** Ready endpoints by `NAMESPACE/NAME` of their Service, each address once. */
function readyEndpoints({ endpointSlices }: ClusterModel): Map<string, number> {
  const addresses = new Map<string, Set<string>>();
  for (const { metadata, endpoints } of endpointSlices) {
    const service = metadata?.labels?.["kubernetes.io/service-name"];
    if (service === undefined) continue;
    const key = `${metadata?.namespace ?? "default"}/${service}`;
    const known = addresses.get(key) ?? new Set();
    for (const { addresses: own, conditions } of endpoints ?? [])
      if (conditions?.ready !== false) for (const address of own) known.add(address);
    addresses.set(key, known);
  }
  return new Map([...addresses].map(([key, known]) => [key, known.size]));
}
