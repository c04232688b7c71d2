/** Pod (v1) and the pod template of workloads. */
import type { Pod } from "kubernetes-types/core/v1.js";
import { z } from "zod";
import {
  address,
  dnsLabel,
  integer,
  isPortName,
  metadata,
  oneOf,
  port,
  protocol,
  show,
  stringMap,
} from "./field.ts";
import { TAINT_EFFECTS } from "./node.ts";

const containerPort = z.looseObject({
  name: z
    .string()
    .refine(isPortName, {
      error: ({ input }) =>
        `${show(input)} is not a port name (a-z, 0-9, "-", at most 15, one letter at least)`,
    })
    .optional(),
  containerPort: port(),
  protocol: protocol().optional(),
  hostPort: integer(0, 65535).optional(),
  hostIP: address().optional(),
});

const container = z.looseObject({
  name: dnsLabel(),
  image: z.string().optional(),
  ports: z.array(containerPort).optional(),
});

const toleration = z.looseObject({
  key: z.string().optional(),
  operator: oneOf(["Exists", "Equal"]).optional(),
  value: z.string().optional(),
  effect: oneOf(["", ...TAINT_EFFECTS]).optional(),
});

const nodeSelectorTerm = z.looseObject({
  matchExpressions: z
    .array(
      z.looseObject({
        key: z.string(),
        operator: oneOf(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  matchFields: z
    .array(z.looseObject({ key: z.string(), operator: oneOf(["In", "NotIn"]), values: z.array(z.string()) }))
    .optional(),
});

const affinity = z.looseObject({
  nodeAffinity: z
    .looseObject({
      requiredDuringSchedulingIgnoredDuringExecution: z
        .looseObject({ nodeSelectorTerms: z.array(nodeSelectorTerm) })
        .optional(),
    })
    .optional(),
});

const sysctls = z.array(z.looseObject({ name: z.string(), value: z.string() }));

/** `v1.PodSpec`. */
const podSpec = z.looseObject({
  nodeName: z.string().optional(),
  nodeSelector: stringMap().optional(),
  hostNetwork: z.boolean().optional(),
  tolerations: z.array(toleration).optional(),
  affinity: affinity.optional(),
  securityContext: z.looseObject({ sysctls: sysctls.optional() }).optional(),
  containers: z.array(container).min(1),
});

/** `v1.PodTemplateSpec`. */
export const podTemplate = z.looseObject({
  metadata: z.looseObject({ labels: stringMap().optional(), annotations: stringMap().optional() }).optional(),
  spec: podSpec,
});

export const podSchema = z.looseObject({
  metadata: metadata(),
  spec: podSpec,
  status: z
    .looseObject({
      phase: oneOf(["Pending", "Running", "Succeeded", "Failed", "Unknown"]).optional(),
      podIP: z.string().optional(),
      conditions: z
        .array(z.looseObject({ type: z.string(), status: oneOf(["True", "False", "Unknown"]) }))
        .optional(),
      containerStatuses: z
        .array(z.looseObject({ name: z.string(), ready: z.boolean().optional() }))
        .optional(),
    })
    .optional(),
});

/** `status.phase`; a pod that does not say is taken to run once it has a node. */
export function phaseOf(pod: Pod): "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown" {
  const phase = pod.status?.phase as "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown" | undefined;
  return phase ?? (pod.spec?.nodeName === undefined ? "Pending" : "Running");
}

/** True when the pod has ended (`podutil.IsPodTerminal`): it holds no address and no port. */
export function isTerminal(pod: Pod): boolean {
  const phase = phaseOf(pod);
  return phase === "Succeeded" || phase === "Failed";
}

/** Condition Ready (`podutil.IsPodReady`). A pod without conditions is ready when it runs: the topology says what shall be. */
export function isReady(pod: Pod): boolean {
  const condition = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return condition === undefined ? phaseOf(pod) === "Running" : condition.status === "True";
}

/** Readiness of one container: its status when there is one, otherwise the pod's. */
export function isContainerReady(pod: Pod, name: string): boolean {
  const status = pod.status?.containerStatuses?.find((one) => one.name === name);
  if (status?.state?.terminated !== undefined || status?.state?.waiting !== undefined) return false;
  return status?.ready ?? isReady(pod);
}

/** A published port of a pod and the field it stands in. */
export interface HostPort {
  hostPort: number;
  hostIP: string;
  protocol: string;
  path: (string | number)[];
}

/** Every port of the node that the pod takes; a hostNetwork pod takes all its containerPorts (`defaultHostNetworkPorts`). */
export function hostPortsOf(pod: Pod): HostPort[] {
  const taken: HostPort[] = [];
  const hostNetwork = pod.spec?.hostNetwork === true;
  for (const [i, { ports = [] }] of (pod.spec?.containers ?? []).entries())
    for (const [j, port] of ports.entries()) {
      const stated = port.hostPort ?? 0;
      if (stated === 0 && !hostNetwork) continue;
      taken.push({
        hostPort: stated === 0 ? port.containerPort : stated,
        hostIP: port.hostIP ?? "0.0.0.0",
        protocol: port.protocol ?? "TCP",
        path: ["spec", "containers", i, "ports", j, stated === 0 ? "containerPort" : "hostPort"],
      });
    }
  return taken;
}
