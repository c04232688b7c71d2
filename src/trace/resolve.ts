import type { Service, ServicePort } from "kubernetes-types/core/v1.js";
import { toNumber } from "../cluster/objects/address.ts";
import type { PodModel } from "../cluster/objects/model.ts";
import { indexOfModel, netnsOfPod } from "../cluster/objects/model-index.ts";
import { didYouMean } from "../cluster/objects/nearest.ts";
import type { Netns } from "../linux/netns.ts";
import type { TraceableCluster } from "./cluster.ts";
import { parseSource, parseTarget, portNumber, type TargetText } from "./endpoint.ts";
import { RequestError, type TraceProtocol } from "./request.ts";

/** Where a packet is sent to: an address, a port (null for icmp), and the protocol. */
export interface Target {
  readonly address: number;
  readonly port: number | null;
  readonly protocol: TraceProtocol;
}

/**
 * The namespace that a source's text means.
 *
 * @throws RequestError when there is no such pod, node or host.
 */
export function resolveSource({ model, network }: TraceableCluster, text: string): Netns {
  const source = parseSource(text);
  switch (source.kind) {
    case "pod":
      return network.netns(netnsOfPod(findPod({ model, network }, source.namespace, source.name)));
    case "node":
      return network.netns(findNamed("node", model.nodes, source.name).name);
    case "host":
      return network.netns(findNamed("host", model.hosts, source.name).name);
  }
}

/**
 * The address, port and protocol that a target's text means.
 *
 * @throws RequestError when it names nothing that has an address, or no port where one is needed.
 */
export function resolveTarget(
  cluster: TraceableCluster,
  text: string,
  protocol: TraceProtocol | undefined,
): Target {
  const target = parseTarget(text);
  const { address, ports } = lookUp(cluster, target);
  if (protocol === "icmp") {
    if (target.port !== null)
      throw new RequestError(`${text}: icmp has no ports: leave ":${target.port}" out`);
    return { address, port: null, protocol };
  }
  if (target.port === null) throw new RequestError(`${text} needs a port (${text}:PORT), or --protocol icmp`);
  const number = portNumber(target.port);
  if (number !== null) return { address, port: number, protocol: protocol ?? protocolOf(ports, number) };
  const named = ports.find(({ name }) => name === target.port);
  if (named === undefined) throw new RequestError(unknownPort(text, target.port, ports));
  return { address, port: named.port, protocol: protocol ?? named.protocol };
}

/** A port that somebody declared. */
interface DeclaredPort {
  readonly name: string | null;
  readonly port: number;
  readonly protocol: TraceProtocol;
}

interface Found {
  readonly address: number;
  readonly ports: readonly DeclaredPort[];
}

function lookUp(cluster: TraceableCluster, target: TargetText): Found {
  const { model } = cluster;
  switch (target.kind) {
    case "address":
      return { address: target.address, ports: [] };
    case "node":
      return { address: toNumber(findNamed("node", model.nodes, target.name).internalIP), ports: [] };
    case "host": {
      const host = findNamed("host", model.hosts, target.name);
      return { address: toNumber(host.nics[0]!.addresses[0]!.split("/")[0]!), ports: [] };
    }
    case "pod": {
      const pod = findPod(cluster, target.namespace, target.name);
      const ports = pod.containers.flatMap((container) => container.ports);
      return {
        address: toNumber(pod.ip),
        ports: ports.map(({ name, containerPort, protocol }) => ({
          name,
          port: containerPort,
          protocol: lowerCase(protocol),
        })),
      };
    }
    case "svc":
      return lookUpService(cluster, target.namespace, target.name);
  }
}

function lookUpService({ model }: TraceableCluster, namespace: string, name: string): Found {
  const service = indexOfModel(model).service(namespace, name);
  if (service === undefined)
    throw new RequestError(
      notFound(
        "Service",
        "svc",
        namespace,
        name,
        model.services.map(({ metadata }) => ({
          namespace: metadata?.namespace ?? "default",
          name: metadata?.name ?? "",
        })),
      ),
    );
  const { clusterIP, type, externalName } = service.spec ?? {};
  if (type === "ExternalName")
    throw new RequestError(
      `Service ${namespace}/${name} is only a name for ${externalName ?? "another one"}: it has no address to send to`,
    );
  if (clusterIP === undefined || clusterIP === "" || clusterIP === "None")
    throw new RequestError(
      `Service ${namespace}/${name} is headless: it has no address of its own; ${podsBehind(service, model.pods)}`,
    );
  return { address: toNumber(clusterIP), ports: (service.spec?.ports ?? []).map(declared) };
}

const declared = ({ name, port, protocol }: ServicePort): DeclaredPort => ({
  name: name ?? null,
  port,
  protocol: lowerCase(protocol ?? "TCP"),
});

const lowerCase = (protocol: string): TraceProtocol =>
  protocol === "UDP" ? "udp" : protocol === "SCTP" ? "sctp" : "tcp";

/** tcp, unless that number is declared for another protocol only. */
function protocolOf(ports: readonly DeclaredPort[], port: number): TraceProtocol {
  const same = ports.filter((one) => one.port === port);
  return same.some(({ protocol }) => protocol === "tcp") ? "tcp" : (same[0]?.protocol ?? "tcp");
}

function podsBehind(service: Service, pods: readonly PodModel[]): string {
  const { selector = {} } = service.spec ?? {};
  const namespace = service.metadata?.namespace ?? "default";
  const wanted = Object.entries(selector);
  const behind = pods.filter(
    (pod) =>
      wanted.length > 0 &&
      pod.namespace === namespace &&
      wanted.every(([key, value]) => pod.labels[key] === value),
  );
  if (behind.length === 0) return "trace to a pod instead";
  return `trace to one of its pods: ${behind.map((pod) => `pod/${pod.namespace}/${pod.name}`).join(", ")}`;
}

function findPod({ model }: TraceableCluster, namespace: string, name: string): PodModel {
  const pod = indexOfModel(model).pod(namespace, name);
  if (pod !== undefined) return pod;
  const absent = model.podsWithoutSandbox.find((one) => one.name === name && one.namespace === namespace);
  if (absent !== undefined)
    throw new RequestError(
      `Pod ${namespace}/${name} is ${absent.phase} and has no network: ${absent.reason}`,
    );
  throw new RequestError(notFound("Pod", "pod", namespace, name, model.pods));
}

function findNamed<T extends { readonly name: string }>(kind: string, all: readonly T[], name: string): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = all.map((one) => one.name);
  const hint = didYouMean(name, names) || (names.length > 0 ? `; there is ${names.join(", ")}` : "");
  throw new RequestError(`no ${kind} ${name}${hint}`);
}

function notFound(
  kind: string,
  prefix: string,
  namespace: string,
  name: string,
  all: readonly { readonly namespace: string; readonly name: string }[],
): string {
  const elsewhere = all.find((one) => one.name === name);
  const hint =
    elsewhere === undefined
      ? didYouMean(
          name,
          all.filter((one) => one.namespace === namespace).map((one) => one.name),
        )
      : `; did you mean "${prefix}/${elsewhere.namespace}/${name}"?`;
  return `no ${kind} ${namespace}/${name}${hint}`;
}

function unknownPort(text: string, port: string, ports: readonly DeclaredPort[]): string {
  const names = ports.flatMap(({ name }) => (name === null ? [] : [name]));
  const known = names.length === 0 ? "; its ports have no names" : `; its ports are ${names.join(", ")}`;
  return `${text}: no port is named ${JSON.stringify(port)}${didYouMean(port, names) || known}`;
}
