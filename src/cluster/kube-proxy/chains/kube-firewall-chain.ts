import type { Proxier } from "../proxier.ts";
import { comment } from "./text.ts";
import { KUBE_FIREWALL } from "./top-level.ts";

/**
 * KUBE-FIREWALL: where NodePorts are answered on 127.0.0.1, `route_localnet` is on, and a neighbour could send
 * packets to the node's loopback addresses. kubelet has the same rule. Empty where NodePorts are not on loopback.
 */
export function kubeFirewallChain(proxier: Proxier): readonly string[] {
  if (!proxier.localhostNodePorts) return [];
  return [
    `-A ${KUBE_FIREWALL} ${comment("block incoming localnet connections")} -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
  ];
}
