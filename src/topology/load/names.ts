/** The names a user may type, for completion and for "did you mean". */
import type { ClusterModel } from "../../cluster/objects/model.ts";
import { nameOf, namespaceOf } from "../../cluster/objects/store.ts";

/** Names by kind; pods and Services as `NAMESPACE/NAME`. */
export interface TopologyNames {
  pods: string[];
  services: string[];
  nodes: string[];
  hosts: string[];
}

/** Every name of a cluster. Pods without a sandbox are left out: nothing can be sent from or to them. */
export function topologyNames(model: ClusterModel): TopologyNames {
  return {
    pods: model.pods.map(({ namespace, name }) => `${namespace}/${name}`),
    services: model.services.map((service) => `${namespaceOf(service)}/${nameOf(service)}`),
    nodes: model.nodes.map(({ name }) => name),
    hosts: model.hosts.map(({ name }) => name),
  };
}
