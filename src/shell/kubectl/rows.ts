/** The columns of `kubectl get` for each kind (pkg/kubectl/resource_printer.go of 1.5). */
import type { DaemonSet, Deployment, ReplicaSet } from "kubernetes-types/apps/v1.js";
import type { Job } from "kubernetes-types/batch/v1.js";
import type {
  Endpoints,
  Node,
  Pod,
  PodSpec,
  ReplicationController,
  Service,
} from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import type { LabelSelector } from "kubernetes-types/meta/v1.js";
import { endpointsText } from "../../cluster/controllers/endpoints-object.ts";
import { type KubernetesObject, nameOf } from "../../cluster/objects/store.ts";
import { ageOf } from "./age.ts";
import { podRow } from "./pod-row.ts";
import { labelsText } from "./selector.ts";

/** Columns of one kind. `cells` and `wide` have the same order as their headings. */
interface Columns {
  readonly header: readonly string[];
  readonly wideHeader: readonly string[];
  cells(object: KubernetesObject, now: number): string[];
  wide(object: KubernetesObject): string[];
}

const WORKLOAD_WIDE = ["CONTAINER(S)", "IMAGE(S)", "SELECTOR"];

function workloadWide(spec: PodSpec | undefined, selector: LabelSelector | undefined): string[] {
  const containers = spec?.containers ?? [];
  return [
    containers.map(({ name }) => name).join(","),
    containers.map(({ image = "" }) => image).join(","),
    selectorText(selector),
  ];
}

/** `metav1.FormatLabelSelector` */
export function selectorText(selector: LabelSelector | undefined): string {
  const pairs = labelsText(selector?.matchLabels);
  const expressions = (selector?.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `${key} ${operator.toLowerCase()}${values.length > 0 ? ` (${values.join(",")})` : ""}`,
  );
  return expressions.length === 0
    ? pairs
    : [...(pairs === "<none>" ? [] : [pairs]), ...expressions].join(",");
}

const age = (object: KubernetesObject, now: number): string => ageOf(object.metadata?.creationTimestamp, now);
const count = (n: number | undefined): string => String(n ?? 0);

const replicated: Columns = {
  header: ["NAME", "DESIRED", "CURRENT", "READY", "AGE"],
  wideHeader: WORKLOAD_WIDE,
  cells(object, now) {
    const { spec, status } = object as ReplicationController;
    return [
      nameOf(object),
      count(spec?.replicas ?? 1),
      count(status?.replicas),
      count(status?.readyReplicas),
      age(object, now),
    ];
  },
  wide(object) {
    const { spec } = object as ReplicationController | ReplicaSet;
    const selector =
      object.kind === "ReplicationController"
        ? { matchLabels: spec?.selector as Record<string, string> }
        : spec?.selector;
    return workloadWide(spec?.template?.spec, selector as LabelSelector | undefined);
  },
};

const COLUMNS: Readonly<Record<string, Columns>> = {
  Pod: {
    header: ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
    wideHeader: ["IP", "NODE"],
    cells: (object, now) => podRow(object as Pod, now),
    wide: (object) => {
      const { status, spec } = object as Pod;
      return [status?.podIP ?? "<none>", spec?.nodeName ?? ""];
    },
  },
  ReplicationController: replicated,
  ReplicaSet: replicated,
  Service: {
    header: ["NAME", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
    wideHeader: ["SELECTOR"],
    cells(object, now) {
      const service = object as Service;
      return [
        nameOf(object),
        service.spec?.clusterIP ?? "",
        externalIP(service),
        portsText(service),
        age(object, now),
      ];
    },
    wide: (object) => [labelsText((object as Service).spec?.selector)],
  },
  Endpoints: {
    header: ["NAME", "ENDPOINTS", "AGE"],
    wideHeader: [],
    cells: (object, now) => [nameOf(object), endpointsText(object as Endpoints), age(object, now)],
    wide: () => [],
  },
  EndpointSlice: {
    header: ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"],
    wideHeader: [],
    cells(object, now) {
      const { addressType, ports = [], endpoints = [] } = object as EndpointSlice;
      const addresses = endpoints.flatMap((one) => one.addresses);
      const more = addresses.length > 3 ? ` + ${addresses.length - 3} more...` : "";
      return [
        nameOf(object),
        addressType,
        ports.map(({ port }) => port ?? "*").join(",") || "<unset>",
        addresses.length === 0 ? "<unset>" : addresses.slice(0, 3).join(",") + more,
        age(object, now),
      ];
    },
    wide: () => [],
  },
  Node: {
    header: ["NAME", "STATUS", "AGE"],
    wideHeader: ["EXTERNAL-IP"],
    cells: (object, now) => [nameOf(object), nodeStatus(object as Node), age(object, now)],
    wide: (object) => [
      (object as Node).status?.addresses?.find(({ type }) => type === "ExternalIP")?.address ?? "<none>",
    ],
  },
  DaemonSet: {
    header: ["NAME", "DESIRED", "CURRENT", "READY", "NODE-SELECTOR", "AGE"],
    wideHeader: WORKLOAD_WIDE,
    cells(object, now) {
      const { spec, status } = object as DaemonSet;
      return [
        nameOf(object),
        count(status?.desiredNumberScheduled),
        count(status?.currentNumberScheduled),
        count(status?.numberReady),
        labelsText(spec?.template?.spec?.nodeSelector),
        age(object, now),
      ];
    },
    wide: (object) =>
      workloadWide((object as DaemonSet).spec?.template?.spec, (object as DaemonSet).spec?.selector),
  },
  Job: {
    header: ["NAME", "DESIRED", "SUCCESSFUL", "AGE"],
    wideHeader: WORKLOAD_WIDE,
    cells(object, now) {
      const { spec, status } = object as Job;
      const desired = spec?.completions === undefined ? "<none>" : String(spec.completions);
      return [nameOf(object), desired, count(status?.succeeded), age(object, now)];
    },
    wide: (object) => workloadWide((object as Job).spec?.template?.spec, (object as Job).spec?.selector),
  },
  Deployment: {
    header: ["NAME", "DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE", "AGE"],
    wideHeader: WORKLOAD_WIDE,
    cells(object, now) {
      const { spec, status } = object as Deployment;
      return [
        nameOf(object),
        count(spec?.replicas ?? 1),
        count(status?.replicas),
        count(status?.updatedReplicas),
        count(status?.availableReplicas),
        age(object, now),
      ];
    },
    wide: (object) =>
      workloadWide((object as Deployment).spec?.template?.spec, (object as Deployment).spec?.selector),
  },
  Namespace: {
    header: ["NAME", "STATUS", "AGE"],
    wideHeader: [],
    cells: (object, now) => [nameOf(object), "Active", age(object, now)],
    wide: () => [],
  },
  ConfigMap: {
    header: ["NAME", "DATA", "AGE"],
    wideHeader: [],
    cells: (object, now) => [
      nameOf(object),
      count(Object.keys((object as { data?: object }).data ?? {}).length),
      age(object, now),
    ],
    wide: () => [],
  },
};

/** The columns of a kind. */
export const columnsOf = (kind: string): Columns => COLUMNS[kind]!;

/** `getServiceExternalIP` */
function externalIP({ spec, status }: Service): string {
  const stated = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case "NodePort":
      return stated.length > 0 ? stated.join(",") : "<nodes>";
    case "LoadBalancer": {
      const ingress = (status?.loadBalancer?.ingress ?? [])
        .map(({ ip, hostname }) => ip ?? hostname ?? "")
        .join(",");
      const all = [...(ingress === "" ? [] : [ingress]), ...stated];
      return all.length > 0 ? all.join(",") : "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return stated.length > 0 ? stated.join(",") : "<none>";
  }
}

/** `makePortString` */
function portsText({ spec }: Service): string {
  return (spec?.ports ?? [])
    .map(({ port, nodePort, protocol = "TCP" }) =>
      nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    )
    .join(",");
}

/** `printNode`; a node without conditions is ready. */
function nodeStatus({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const text = ready === undefined || ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}
