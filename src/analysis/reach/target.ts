import type { Service } from "kubernetes-types/core/v1.js";
import { ingressAddresses } from "../../cluster/build/load-balancer.ts";
import { isAddress, toNumber } from "../../cluster/objects/address.ts";
import type { ClusterModel } from "../../cluster/objects/model.ts";
import type { TraceProtocol } from "../../trace/request.ts";

export type TargetKind = "service" | "external-ip" | "load-balancer" | "node-port" | "pod" | "host-port";

/** Something in a cluster that can be talked to. */
export interface ReachTarget {
  /** As `trace --to` words it: `svc/NAMESPACE/NAME:PORT`, `node/NAME:PORT`, `pod/NAMESPACE/NAME:PORT` or `IP:PORT`. */
  readonly to: string;
  readonly kind: TargetKind;
  /** Whose it is: `svc/NAMESPACE/NAME` or `pod/NAMESPACE/NAME`. */
  readonly of: string;
  readonly protocol: Exclude<TraceProtocol, "icmp">;
  readonly address: number;
  readonly port: number;
}

/**
 * Every Service port (cluster IP, external IPs, load-balancer addresses, and the node port at each node), then every
 * container port and published port of every pod, in the order of the model. Two that are the same address, port and
 * protocol are one.
 */
export function reachTargets(model: ClusterModel): ReachTarget[] {
  const found = new Map<string, ReachTarget>();
  for (const target of [
    ...model.services.flatMap((one) => serviceTargets(model, one)),
    ...podTargets(model),
  ]) {
    const key = `${target.address} ${target.port} ${target.protocol}`;
    if (!found.has(key)) found.set(key, target);
  }
  return [...found.values()];
}

function serviceTargets(model: ClusterModel, service: Service): ReachTarget[] {
  const { metadata, spec } = service;
  const of = `svc/${metadata?.namespace ?? "default"}/${metadata?.name}`;
  if (spec?.type === "ExternalName") return [];
  return (spec?.ports ?? []).flatMap(({ port, nodePort, protocol: named }) => {
    const protocol = protocolOf(named);
    const at = (kind: TargetKind, address: string, to = `${address}:${port}`): ReachTarget => ({
      to,
      kind,
      of,
      protocol,
      address: toNumber(address),
      port,
    });
    const { clusterIP = "None" } = spec ?? {};
    const nodes = nodePort === undefined || nodePort === 0 ? [] : model.nodes;
    return [
      ...(isAddress(clusterIP) ? [at("service", clusterIP, `${of}:${port}`)] : []),
      ...(spec?.externalIPs ?? []).filter(isAddress).map((address) => at("external-ip", address)),
      ...ingressAddresses(service).map((address) => at("load-balancer", address)),
      ...nodes.map(({ name, internalIP }) => ({
        ...at("node-port", internalIP, `node/${name}:${nodePort}`),
        port: nodePort!,
      })),
    ];
  });
}

function podTargets({ pods, nodes }: ClusterModel): ReachTarget[] {
  const nodeAddress = new Map(nodes.map(({ name, internalIP }) => [name, internalIP]));
  return pods.flatMap(({ namespace, name, ip, nodeName, containers }) => {
    const of = `pod/${namespace}/${name}`;
    const ports = containers.flatMap((container) => container.ports);
    return [
      ...ports.map(({ containerPort, protocol }) => ({
        to: `${of}:${containerPort}`,
        kind: "pod" as const,
        of,
        protocol: protocolOf(protocol),
        address: toNumber(ip),
        port: containerPort,
      })),
      ...ports.flatMap(({ hostPort, hostIP, protocol }) => {
        if (hostPort === null) return [];
        const any = hostIP === "0.0.0.0";
        const address = any ? nodeAddress.get(nodeName)! : hostIP;
        return {
          to: `${any ? `node/${nodeName}` : hostIP}:${hostPort}`,
          kind: "host-port" as const,
          of,
          protocol: protocolOf(protocol),
          address: toNumber(address),
          port: hostPort,
        };
      }),
    ];
  });
}

const protocolOf = (protocol: string | undefined): ReachTarget["protocol"] =>
  protocol === "UDP" ? "udp" : protocol === "SCTP" ? "sctp" : "tcp";
