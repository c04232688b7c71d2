/** Ports of a node that two want: who gets the packets, and who waits in vain. */
import type { ClusterModel, ListenPort, NodeModel, PodModel } from "../../../cluster/objects/model.ts";
import { hostPortsOf, isTerminal } from "../../../cluster/objects/pod.ts";
import { clientsOf, protocolOf } from "../cast.ts";
import type { Check, Observation, Subject, Suspect } from "../check.ts";
import { editPod, editServiceSpec } from "../edit.ts";
import { serviceTargets } from "../service-target.ts";
import { observation, tryFlow } from "../try-flow.ts";

/** Processes of a node itself and pods in its network, by port. */
function localListeners(model: ClusterModel, node: NodeModel): (ListenPort & { owner: string })[] {
  const own = node.listen.map((port) => ({ ...port, owner: "a process of the node's own" }));
  const pods = model.pods
    .filter(({ hostNetwork, nodeName, ready }) => hostNetwork && ready && nodeName === node.name)
    .flatMap(({ namespace, name, containers }) =>
      containers.flatMap(({ ports }) =>
        ports.map(({ containerPort: port, protocol }) => ({
          port,
          protocol,
          owner: `pod ${namespace}/${name}`,
        })),
      ),
    );
  return [...own, ...pods];
}

/** Published ports of the pods of a node. */
const publishedOn = (model: ClusterModel, node: NodeModel) =>
  model.pods
    .filter(({ nodeName, hostNetwork }) => nodeName === node.name && !hostNetwork)
    .flatMap((pod) =>
      pod.containers.flatMap(({ ports }, container) =>
        ports.flatMap(({ hostPort, protocol }, index) =>
          hostPort === null
            ? []
            : [
                {
                  pod,
                  hostPort,
                  protocol,
                  path: ["spec", "containers", container, "ports", index, "hostPort"],
                },
              ],
        ),
      ),
    );

/** A packet to the node's port, and whether it ends anywhere but at `wanted`. */
function observeArrival(
  model: ClusterModel,
  node: NodeModel,
  { port, protocol }: ListenPort,
  wanted: string,
): Observation | null {
  const [from] = clientsOf(model, node);
  if (from === undefined) return null;
  const to = `node/${node.name}:${port}`;
  const trace = tryFlow(model, { from, to, protocol: protocolOf(protocol) });
  return observation(trace, trace.delivered !== null && trace.delivered.netns !== wanted);
}

const netnsOf = ({ nodeName, namespace, name }: PodModel): string => `${nodeName}/${namespace}/${name}`;

/** A port from the range of NodePorts that no Service has. */
function freeNodePort(model: ClusterModel): number {
  const taken = new Set(
    model.services.flatMap(({ spec }) => (spec?.ports ?? []).map(({ nodePort }) => nodePort)),
  );
  let port = 32000;
  while (taken.has(port)) port++;
  return port;
}

function moveNodePort(model: ClusterModel, namespace: string, name: string, nodePort: number): ClusterModel {
  const free = freeNodePort(model);
  return editServiceSpec(model, namespace, name, (spec) => ({
    ...spec,
    ports: (spec.ports ?? []).map((one) => (one.nodePort === nodePort ? { ...one, nodePort: free } : one)),
  }));
}

/** A process of a node listens on a NodePort: kube-proxy's rules catch every packet before it does. */
export const nodeportOccupied: Check = {
  id: "nodeport-occupied",
  severity: "error",
  symptom: "a server on a node never hears of its clients: pods of some Service answer in its stead",
  *suspects(model) {
    for (const { namespace, name, port, index, endpoints } of serviceTargets(model)) {
      const { nodePort, protocol = "TCP" } = port;
      if (!nodePort || endpoints.length === 0) continue;
      for (const node of model.nodes)
        for (const local of localListeners(model, node))
          if (local.port === nodePort && local.protocol === protocol)
            yield {
              subject: { kind: "Service", namespace, name, path: ["spec", "ports", index, "nodePort"] },
              message: `NodePort ${nodePort} of ${namespace}/${name} is listened on by ${local.owner} on ${node.name}: the Service's rules come first`,
              mend: `kubectl -n ${namespace} patch svc ${name} --type json -p '[{"op":"replace","path":"/spec/ports/${index}/nodePort","value":${freeNodePort(model)}}]'`,
              observe: (current) => observeArrival(current, node, local, node.name),
              mended: (current) => moveNodePort(current, namespace, name, nodePort),
            };
    }
  },
};

/** A pod publishes a port that a process of the node listens on, or that another pod publishes already. */
export const hostportConflict: Check = {
  id: "hostport-conflict",
  severity: "error",
  symptom: "a server on a node, or a second pod with the same hostPort, never hears of its clients",
  *suspects(model) {
    for (const node of model.nodes)
      for (const { pod, hostPort, protocol, path } of publishedOn(model, node))
        for (const local of localListeners(model, node))
          if (local.port === hostPort && local.protocol === protocol)
            yield hostPortSuspect(node, pod, path, local);
    yield* pendingForPorts(model);
  },
};

function hostPortSuspect(
  node: NodeModel,
  pod: PodModel,
  path: (string | number)[],
  local: ListenPort & { owner: string },
): Suspect {
  const { namespace, name } = pod;
  return {
    subject: { kind: "Pod", namespace, name, path },
    message: `hostPort ${local.port} of pod ${namespace}/${name} is listened on by ${local.owner} on ${node.name}: the pod's DNAT rule comes first`,
    mend: `another hostPort in the manifest of pod ${namespace}/${name}, or the process on ${node.name} on another port`,
    observe: (current) => observeArrival(current, node, local, node.name),
    mended: (current) => withoutHostPort(current, pod, local.port),
  };
}

const withoutHostPort = (model: ClusterModel, pod: PodModel, hostPort: number): ClusterModel =>
  editPod(model, pod, (one) => ({
    ...one,
    containers: one.containers.map((container) => ({
      ...container,
      ports: container.ports.map((port) => (port.hostPort === hostPort ? { ...port, hostPort: null } : port)),
    })),
  }));

/**
 * Pods that the scheduler has no node for, because their hostPort is taken everywhere: who asks for the port gets the
 * pod that was there first. Where the second one would go with another port, the scheduler alone knows.
 */
function* pendingForPorts(model: ClusterModel): Generator<Suspect> {
  for (const { namespace, name } of model.podsWithoutSandbox) {
    const pod = model.store.pods.get(`${namespace}/${name}`);
    if (pod === undefined || pod.spec?.nodeName !== undefined || isTerminal(pod)) continue;
    for (const { hostPort, protocol, path } of hostPortsOf(pod))
      for (const node of model.nodes) {
        const holder = publishedOn(model, node).find(
          (one) => one.hostPort === hostPort && one.protocol === protocol,
        )?.pod;
        if (holder === undefined) continue;
        const port: ListenPort = { port: hostPort, protocol: protocol as ListenPort["protocol"] };
        yield {
          subject: { kind: "Pod", namespace, name, path },
          message: `pod ${namespace}/${name} stays Pending: pod ${holder.namespace}/${holder.name} has hostPort ${hostPort} of ${node.name} already`,
          mend: `another hostPort in the manifest of pod ${namespace}/${name}, or a node more`,
          observe: (current) => observeArrival(current, node, port, `${node.name}/${namespace}/${name}`),
          mended: () => null,
        };
      }
  }
}

/** A hostPort that is a NodePort too: KUBE-SERVICES stands before DOCKER in PREROUTING, whichever came first. */
export const hostportVsNodeport: Check = {
  id: "hostport-vs-nodeport",
  severity: "error",
  symptom: "a pod's hostPort is answered by the pods of a Service, or a NodePort by a single pod",
  *suspects(model) {
    for (const { namespace, name, port, index, endpoints } of serviceTargets(model)) {
      const { nodePort, protocol = "TCP" } = port;
      if (!nodePort || endpoints.length === 0) continue;
      for (const node of model.nodes)
        for (const { pod, hostPort, protocol: published } of publishedOn(model, node)) {
          if (hostPort !== nodePort || published !== protocol) continue;
          const subject: Subject = {
            kind: "Service",
            namespace,
            name,
            path: ["spec", "ports", index, "nodePort"],
          };
          yield {
            subject,
            message: `NodePort ${nodePort} of ${namespace}/${name} is the hostPort of pod ${pod.namespace}/${pod.name} on ${node.name} too: kube-proxy's jump stands first in nat PREROUTING`,
            mend: `kubectl -n ${namespace} patch svc ${name} --type json -p '[{"op":"replace","path":"/spec/ports/${index}/nodePort","value":${freeNodePort(model)}}]'`,
            observe: (current) => observeArrival(current, node, { port: nodePort, protocol }, netnsOf(pod)),
            mended: (current) => moveNodePort(current, namespace, name, nodePort),
          };
        }
    }
  },
};
