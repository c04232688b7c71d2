import type { Verbosity } from "./chains/policy-chain.ts";
import { type Endpoint, isLocal } from "./endpoints.ts";
import { blockContains } from "./ipv4.ts";
import type { Proxier } from "./proxier.ts";
import type { ServicePort } from "./service-port.ts";
import { usesLocalEndpoints } from "./service-port.ts";
import { type ServicePortRules, servicePortRules } from "./service-port-rules.ts";

/** Makes the rules of one Service port on one node; {@link servicePortRules} is one. */
export type ServicePortRulesMaker = typeof servicePortRules;

/** What of the node bears on the rules of any Service port. */
function nodeKey(proxier: Proxier, { endpointComments }: Verbosity): string {
  const countLocalhost = proxier.localhostNodePorts && proxier.nfacct;
  return `${endpointComments} ${proxier.masqueradeAll} ${countLocalhost} ${proxier.localDetector?.ifLocal ?? ""}`;
}

/** What of the node bears on the rules of this Service port. */
function portKey(port: ServicePort, endpoints: readonly Endpoint[], proxier: Proxier): string {
  const fromNode = port.loadBalancerSourceRanges.some((range) => blockContains(range, proxier.nodeIP));
  const duplicates = endpoints.some((endpoint) => endpoint.duplicates.length > 0);
  if (duplicates) return `${fromNode} ${proxier.zone} node ${proxier.nodeName}`;
  const zone = endpoints.some((endpoint) => endpoint.zoneHints.length > 0) ? proxier.zone : "";
  const local = usesLocalEndpoints(port)
    ? endpoints.filter((endpoint) => isLocal(endpoint, proxier.nodeName)).map((endpoint) => endpoint.text)
    : [];
  return `${fromNode} ${zone} ${local.join(" ")}`;
}

/**
 * A maker that gives nodes the very same object wherever their rules of a Service port are equal: most ports have
 * one set of rules for the whole cluster. It holds for as long as the ProxyState whose ports it is asked about;
 * take a new one for another state.
 */
export function sharedServicePortRules(): ServicePortRulesMaker {
  const byPort = new WeakMap<ServicePort, Map<string, ServicePortRules>>();
  return (port, endpoints, proxier, verbosity) => {
    let variants = byPort.get(port);
    if (variants === undefined) {
      variants = new Map();
      byPort.set(port, variants);
    }
    const key = `${nodeKey(proxier, verbosity)}\n${portKey(port, endpoints, proxier)}`;
    let rules = variants.get(key);
    if (rules === undefined) {
      rules = servicePortRules(port, endpoints, proxier, verbosity);
      variants.set(key, rules);
    }
    return rules;
  };
}
