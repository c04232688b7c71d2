/** The model of a cluster whose objects have changed: what the network is to follow. */
import { deriveEndpointSlices } from "../../cluster/controllers/endpoints.ts";
import { defaultEndpointSlice } from "../../cluster/objects/endpoint-slice.ts";
import type {
  ClusterModel,
  ContainerModel,
  PodModel,
  PodWithoutSandbox,
} from "../../cluster/objects/model.ts";
import { isTerminal, phaseOf } from "../../cluster/objects/pod.ts";
import { inKeyOrder, nameOf, namespaceOf, type ObjectStore } from "../../cluster/objects/store.ts";
import { podModel } from "../../topology/load/pod-model.ts";
import { imageOf } from "../images/image.ts";

/** `base` with the pods, Services and endpoints that the store holds now. */
export function modelOf(base: ClusterModel, store: ObjectStore): ClusterModel {
  const ordered: ObjectStore = {
    ...store,
    pods: new Map([...store.pods].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const pods: PodModel[] = [];
  const podsWithoutSandbox: PodWithoutSandbox[] = [];
  for (const pod of ordered.pods.values()) {
    const ip = pod.status?.podIP;
    const phase = phaseOf(pod);
    if (ip !== undefined && !isTerminal(pod)) pods.push(withImagePorts(podModel(pod, ip)));
    else {
      const ended = phase === "Succeeded" || phase === "Failed" ? phase : "Pending";
      const reason = pod.spec?.nodeName === undefined ? "Unschedulable" : "ContainerCreating";
      podsWithoutSandbox.push({ namespace: namespaceOf(pod), name: nameOf(pod), phase: ended, reason });
    }
  }
  const slices = [...inKeyOrder(store.endpointSlices), ...deriveEndpointSlices(ordered)].map(
    defaultEndpointSlice,
  );
  return {
    ...base,
    nodes: base.nodes.map((node) => ({ ...node, kubernetes: store.nodes.get(node.name) ?? node.kubernetes })),
    pods,
    podsWithoutSandbox,
    services: inKeyOrder(store.services),
    endpointSlices: slices.filter(({ addressType }) => addressType === "IPv4"),
    store,
  };
}

/** A web server listens on its own port whether the pod says so or not. */
function withImagePorts(pod: PodModel): PodModel {
  const taken = new Set(
    pod.containers.flatMap(({ ports }) => ports.map(({ containerPort }) => containerPort)),
  );
  const containers = pod.containers.map((container): ContainerModel => {
    const port = imageOf(container.image).port;
    if (port === null || taken.has(port)) return container;
    taken.add(port);
    const own = {
      name: null,
      containerPort: port,
      protocol: "TCP" as const,
      hostPort: null,
      hostIP: "0.0.0.0",
    };
    return { ...container, ports: [...container.ports, own] };
  });
  return { ...pod, containers };
}
