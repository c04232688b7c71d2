/** A pod as the API server would show it, and as it is to be built. */
import type { Container, Pod } from "kubernetes-types/core/v1.js";
import type { PodAddress, PodSubnet } from "../../cluster/controllers/pod-address.ts";
import type { ContainerModel, PodModel, Protocol } from "../../cluster/objects/model.ts";
import { isContainerReady, isReady, phaseOf } from "../../cluster/objects/pod.ts";
import { nameOf, namespaceOf } from "../../cluster/objects/store.ts";
import { isSimulated, toSysctls } from "../../cluster/objects/sysctl.ts";

/** The pod with the status its kubelet would report: address, phase, readiness. */
export function completePod(
  pod: Pod,
  address: PodAddress | undefined,
  subnets: ReadonlyMap<string, PodSubnet>,
): Pod {
  const base: Pod = {
    ...pod,
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...pod.metadata, namespace: namespaceOf(pod) },
  };
  if (address === undefined || address.ip === null)
    return { ...base, status: { ...pod.status, phase: phaseOf(pod) } };
  const hostIP = subnets.get(pod.spec?.nodeName ?? "")?.internalIP;
  const conditions = pod.status?.conditions ?? [{ type: "Ready", status: isReady(pod) ? "True" : "False" }];
  return {
    ...base,
    status: {
      ...pod.status,
      phase: phaseOf(pod),
      conditions,
      ...(hostIP === undefined ? {} : { hostIP }),
      podIP: address.ip,
      podIPs: [{ ip: address.ip }],
    },
  };
}

/** The model of a pod that has a node and an address. */
export function podModel(pod: Pod, ip: string): PodModel {
  const phase = phaseOf(pod);
  const hostNetwork = pod.spec?.hostNetwork === true;
  const settings = (pod.spec?.securityContext?.sysctls ?? []).filter(({ name }) => isSimulated(name));
  return {
    namespace: namespaceOf(pod),
    name: nameOf(pod),
    nodeName: pod.spec?.nodeName ?? "",
    ip,
    hostNetwork,
    ready: isReady(pod),
    terminating: pod.metadata?.deletionTimestamp !== undefined,
    phase: phase === "Pending" || phase === "Unknown" ? phase : "Running",
    labels: { ...pod.metadata?.labels },
    containers: (pod.spec?.containers ?? []).map((container) => containerModel(pod, container, hostNetwork)),
    ...toSysctls(Object.fromEntries(settings.map(({ name, value }) => [name, value]))),
  };
}

function containerModel(
  pod: Pod,
  { name, image = "", ports = [] }: Container,
  hostNetwork: boolean,
): ContainerModel {
  return {
    name,
    image,
    ready: isContainerReady(pod, name),
    ports: ports.map((port) => ({
      name: port.name ?? null,
      containerPort: port.containerPort,
      protocol: (port.protocol ?? "TCP") as Protocol,
      hostPort: hostNetwork || !port.hostPort ? null : port.hostPort,
      hostIP: port.hostIP ?? "0.0.0.0",
    })),
  };
}
