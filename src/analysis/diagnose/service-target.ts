import type { Service, ServicePort } from "kubernetes-types/core/v1.js";
import type { ClusterModel, ListenPort, PodModel } from "../../cluster/objects/model.ts";
import { addressesOf, listeningPorts } from "./cast.ts";

/** An endpoint that kube-proxy may send to. */
interface ServiceEndpoint {
  readonly ip: string;
  readonly port: number;
  readonly nodeName: string | null;
  /** The pod that has the address; null for a node, an outside machine, or nobody. */
  readonly pod: PodModel | null;
}

/** One port of a Service with an address, and the endpoints that are ready, in the order of kube-proxy's rules. */
export interface ServiceTarget {
  readonly service: Service;
  readonly namespace: string;
  readonly name: string;
  readonly port: ServicePort;
  /** Which port of `spec.ports` it is. */
  readonly index: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** `svc/NAMESPACE/NAME:PORT` */
  readonly ref: string;
  readonly endpoints: readonly ServiceEndpoint[];
}

/** Every port of every Service that has a cluster IP. */
export function serviceTargets(model: ClusterModel): ServiceTarget[] {
  const pods = new Map(model.pods.map((pod) => [pod.ip, pod]));
  return model.services.flatMap((service) => {
    const { clusterIP, type, ports = [] } = service.spec ?? {};
    if (type === "ExternalName" || clusterIP === undefined || clusterIP === "" || clusterIP === "None")
      return [];
    return ports.map((port, index) => targetOf(model, pods, service, port, index));
  });
}

function targetOf(
  model: ClusterModel,
  pods: ReadonlyMap<string, PodModel>,
  service: Service,
  port: ServicePort,
  index: number,
): ServiceTarget {
  const namespace = service.metadata?.namespace ?? "default";
  const name = service.metadata?.name ?? "";
  const protocol = port.protocol ?? "TCP";
  const endpoints: ServiceEndpoint[] = [];
  for (const slice of slicesOf(model, namespace, name))
    for (const one of slice.ports ?? []) {
      if ((one.name ?? "") !== (port.name ?? "") || (one.protocol ?? "TCP") !== protocol || !one.port)
        continue;
      for (const { addresses, conditions, nodeName } of slice.endpoints) {
        if (conditions?.ready === false) continue;
        for (const ip of addresses)
          endpoints.push({ ip, port: one.port, nodeName: nodeName ?? null, pod: podAt(pods, ip) });
      }
    }
  const text = ({ ip, port: number }: ServiceEndpoint) => `${ip}:${number}`;
  endpoints.sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return {
    service,
    namespace,
    name,
    port,
    index,
    protocol: protocol === "UDP" ? "udp" : protocol === "SCTP" ? "sctp" : "tcp",
    ref: `svc/${namespace}/${name}:${port.port}`,
    endpoints,
  };
}

/** A pod in its node's network shares the node's address. */
function podAt(pods: ReadonlyMap<string, PodModel>, ip: string): PodModel | null {
  const pod = pods.get(ip);
  return pod === undefined || pod.hostNetwork ? null : pod;
}

/** The EndpointSlices of a Service. */
export const slicesOf = ({ endpointSlices }: ClusterModel, namespace: string, service: string) =>
  endpointSlices.filter(
    ({ metadata }) =>
      (metadata?.namespace ?? "default") === namespace &&
      metadata?.labels?.["kubernetes.io/service-name"] === service,
  );

/** Who listens at an address of the cluster or outside it; null when the address is nobody's. */
export function listenersAt(model: ClusterModel, ip: string): ListenPort[] | null {
  const pod = model.pods.find((one) => one.ip === ip && !one.hostNetwork);
  if (pod !== undefined) return listeningPorts(pod);
  const node = model.nodes.find(({ internalIP }) => internalIP === ip);
  if (node !== undefined)
    return [
      ...node.listen,
      ...model.pods.filter((one) => one.hostNetwork && one.nodeName === node.name).flatMap(listeningPorts),
    ];
  return model.hosts.find((host) => addressesOf(host).includes(ip))?.listen ?? null;
}
