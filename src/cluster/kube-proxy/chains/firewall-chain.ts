import { blockContains, formatIpv4Block } from "../ipv4.ts";
import type { Proxier } from "../proxier.ts";
import type { Traffic } from "../traffic.ts";
import { comment } from "./text.ts";

/**
 * KUBE-FW: lets a load balancer's traffic on from the source ranges alone. Where a range holds the node, the
 * load balancer's own addresses are let on too: they may be local to the node, which then talks to itself from
 * them. The last rule has no target; it tells a reader where the rest is dropped.
 */
export function firewallChain(traffic: Traffic, proxier: Proxier): readonly string[] {
  if (!traffic.usesFirewallChain) return [];
  const { port } = traffic;
  const { firewall, external } = port.chains;
  const head = `-A ${firewall} ${comment(`${port.nameString} loadbalancer IP`)}`;
  const ranges = port.loadBalancerSourceRanges;
  const allowFromNode = ranges.some((range) => blockContains(range, proxier.nodeIP));
  const sources = [
    ...ranges.map((range) => formatIpv4Block(range)),
    ...(allowFromNode ? port.loadBalancerVIPs : []),
  ];
  const rest = comment(`other traffic to ${port.nameString} will be dropped by KUBE-PROXY-FIREWALL`);
  return [...sources.map((source) => `${head} -s ${source} -j ${external}`), `-A ${firewall} ${rest}`];
}
