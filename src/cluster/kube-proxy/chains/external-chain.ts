import type { Proxier } from "../proxier.ts";
import type { Traffic } from "../traffic.ts";
import { comment } from "./text.ts";
import { KUBE_MARK_MASQ } from "./top-level.ts";

const FROM_THIS_NODE = "-m addrtype --src-type LOCAL";

/**
 * KUBE-EXT: traffic to NodePorts, external and load-balancer addresses. Under policy Cluster all of it is
 * masqueraded, since its endpoint may be on another node. Under policy Local it keeps its source; traffic from
 * pods and from the node itself is not bound by that policy and takes the short cut to KUBE-SVC.
 */
export function externalChain(traffic: Traffic, proxier: Proxier): readonly string[] {
  if (!traffic.usesExternalChain) return [];
  const { port } = traffic;
  const { external, clusterPolicy } = port.chains;
  const destinations = `${port.nameString} external destinations`;
  const rules: string[] = [];
  if (port.externalPolicyLocal) {
    if (proxier.localDetector !== undefined) {
      const why = comment(`pod traffic for ${destinations}`);
      rules.push(`-A ${external} ${why} ${proxier.localDetector.ifLocal} -j ${clusterPolicy}`);
    }
    rules.push(
      `-A ${external} ${comment(`masquerade LOCAL traffic for ${destinations}`)} ${FROM_THIS_NODE} -j ${KUBE_MARK_MASQ}`,
      `-A ${external} ${comment(`route LOCAL traffic for ${destinations}`)} ${FROM_THIS_NODE} -j ${clusterPolicy}`,
    );
  } else {
    rules.push(`-A ${external} ${comment(`masquerade traffic for ${destinations}`)} -j ${KUBE_MARK_MASQ}`);
  }
  if (traffic.hasExternalEndpoints) rules.push(`-A ${external} -j ${traffic.externalPolicyChain}`);
  return rules;
}
