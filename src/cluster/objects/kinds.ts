/** The kinds a topology may hold: where they belong, how they are checked, and where the store keeps them. */
import type { z } from "zod";
import { clusterSchema } from "./cluster.ts";
import { configMapSchema } from "./config-map.ts";
import { daemonSetSchema } from "./daemon-set.ts";
import { deploymentSchema } from "./deployment.ts";
import { endpointSliceSchema } from "./endpoint-slice.ts";
import { endpointsSchema } from "./endpoints.ts";
import { hostSchema } from "./host.ts";
import { jobSchema } from "./job.ts";
import { kubeProxyConfigurationSchema } from "./kube-proxy-configuration.ts";
import { namespaceSchema } from "./namespace.ts";
import { nodeSchema } from "./node.ts";
import { podSchema } from "./pod.ts";
import { replicaSetSchema } from "./replica-set.ts";
import { replicationControllerSchema } from "./replication-controller.ts";
import { serviceSchema } from "./service.ts";
import type { ObjectStore } from "./store.ts";

/** One kind. `store` is null for the three that are no API objects of a cluster. */
export interface Kind {
  apiVersions: readonly string[];
  namespaced: boolean;
  schema: z.ZodType;
  store: keyof ObjectStore | null;
}

const core = ["v1"];
const workload = ["apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"];

function kind(
  schema: z.ZodType,
  store: keyof ObjectStore | null,
  apiVersions: readonly string[],
  namespaced = true,
): Kind {
  return { apiVersions, namespaced, schema, store };
}

/** Every kind that means something, by name. */
export const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["Node", kind(nodeSchema, "nodes", core, false)],
  ["Namespace", kind(namespaceSchema, "namespaces", core, false)],
  ["ConfigMap", kind(configMapSchema, "configMaps", core)],
  ["Pod", kind(podSchema, "pods", core)],
  ["Service", kind(serviceSchema, "services", core)],
  ["Endpoints", kind(endpointsSchema, "endpoints", core)],
  ["EndpointSlice", kind(endpointSliceSchema, "endpointSlices", ["discovery.k8s.io/v1"])],
  ["ReplicationController", kind(replicationControllerSchema, "replicationControllers", core)],
  ["ReplicaSet", kind(replicaSetSchema, "replicaSets", workload)],
  ["Deployment", kind(deploymentSchema, "deployments", workload)],
  ["DaemonSet", kind(daemonSetSchema, "daemonSets", workload)],
  ["Job", kind(jobSchema, "jobs", ["batch/v1", "batch/v1beta1", "extensions/v1beta1"])],
  [
    "KubeProxyConfiguration",
    kind(kubeProxyConfigurationSchema, null, ["kubeproxy.config.k8s.io/v1alpha1"], false),
  ],
  ["Cluster", kind(clusterSchema, null, ["podpath.dev/v1alpha1"], false)],
  ["Host", kind(hostSchema, null, ["podpath.dev/v1alpha1"], false)],
]);

/** `apps` of `apps/v1`, "" of `v1`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}
