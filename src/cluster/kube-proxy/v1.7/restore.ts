import type { Service } from "kubernetes-types/core/v1.js";
import type { EndpointSlice } from "kubernetes-types/discovery/v1.js";
import { comment } from "../chains/text.ts";
import { KUBE_MARK_MASQ, KUBE_NODEPORTS, KUBE_POSTROUTING, KUBE_SERVICES } from "../chains/top-level.ts";
import { parseIpv4 } from "../ipv4.ts";
import { formatRestore, type RestoreInput, type RuleSet } from "../restore.ts";
import { type EndpointsMap, endpointsByServicePort } from "./endpoints.ts";
import { type ServicePort, servicePortsOf } from "./service-port.ts";
import { type Proxier, type ServicePortRules, servicePortRules } from "./service-port-rules.ts";

/** The cluster as kube-proxy 1.7 keeps it; the same for every node. */
export interface ProxyState {
  /** In the order of namespace, name and port name. */
  readonly servicePorts: readonly ServicePort[];
  readonly endpoints: EndpointsMap;
}

/** Takes in all Services and EndpointSlices; of two Services with one name the later counts. */
export function proxyState(services: readonly Service[], slices: readonly EndpointSlice[]): ProxyState {
  const byName = new Map<string, readonly ServicePort[]>();
  for (const service of services) {
    const { namespace = "default", name = "" } = service.metadata ?? {};
    byName.set(`${namespace}/${name}`, servicePortsOf(service));
  }
  const servicePorts = [...byName.values()].flat().sort((a, b) => {
    for (const field of ["namespace", "name", "portName"] as const) {
      if (a[field] !== b[field]) return a[field] < b[field] ? -1 : 1;
    }
    return 0;
  });
  return { servicePorts, endpoints: endpointsByServicePort(slices) };
}

const LOCALHOST = 0x7f000001;

/** What the node and the configuration contribute; later releases' settings are passed over. */
export function proxier({ node, config }: Pick<RestoreInput, "node" | "config">): Proxier {
  const mark = `0x${(2 ** config.iptables.masqueradeBit).toString(16).padStart(8, "0")}`;
  return {
    nodeName: node.name,
    nodeIP: parseIpv4(node.nodeIP) ?? LOCALHOST,
    masqueradeMark: `${mark}/${mark}`,
    masqueradeAll: config.iptables.masqueradeAll,
    clusterCIDR: config.clusterCIDR,
  };
}

function frame(node: Proxier): Omit<RuleSet<ServicePortRules>, "servicePorts"> {
  const snat = comment("kubernetes service traffic requiring SNAT");
  const last = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain");
  return {
    filterChains: [KUBE_SERVICES],
    filterBefore: [],
    filterAfter: [],
    natChains: [KUBE_SERVICES, KUBE_NODEPORTS, KUBE_POSTROUTING, KUBE_MARK_MASQ],
    natBefore: [
      `-A ${KUBE_POSTROUTING} ${snat} -m mark --mark ${node.masqueradeMark} -j MASQUERADE`,
      `-A ${KUBE_MARK_MASQ} -j MARK --set-xmark ${node.masqueradeMark}`,
    ],
    natAfter: [`-A ${KUBE_SERVICES} ${last} -m addrtype --dst-type LOCAL -j ${KUBE_NODEPORTS}`],
  };
}

/** The rules of a node's first sync in 1.7. */
export function generateRuleSet(state: ProxyState, node: Proxier): RuleSet<ServicePortRules> {
  return {
    ...frame(node),
    servicePorts: state.servicePorts.map((port) =>
      servicePortRules(port, state.endpoints.get(port.nameString) ?? [], node),
    ),
  };
}

/** What kube-proxy 1.7, iptables mode, on this node hands to iptables-restore at its first sync; kubelet's KUBE-MARK-DROP must be there. */
export function generateRestore(input: RestoreInput): string {
  const state = proxyState(input.services, input.endpointSlices);
  return formatRestore(generateRuleSet(state, proxier(input)));
}
