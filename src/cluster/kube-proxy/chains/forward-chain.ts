import type { Proxier } from "../proxier.ts";
import { comment } from "./text.ts";
import { KUBE_FORWARD, NFACCT_INVALID_DROPPED } from "./top-level.ts";

/**
 * KUBE-FORWARD: drops what conntrack finds invalid (unless it is told to be liberal), and accepts Service
 * traffic even under a FORWARD policy of DROP.
 */
export function forwardChain(proxier: Proxier): readonly string[] {
  const mark = proxier.masqueradeMark;
  const counter = proxier.nfacct ? ` -m nfacct --nfacct-name ${NFACCT_INVALID_DROPPED}` : "";
  const invalid = `-A ${KUBE_FORWARD} -m conntrack --ctstate INVALID${counter} -j DROP`;
  return [
    ...(proxier.conntrackTcpBeLiberal ? [] : [invalid]),
    `-A ${KUBE_FORWARD} ${comment("kubernetes forwarding rules")} -m mark --mark ${mark}/${mark} -j ACCEPT`,
    `-A ${KUBE_FORWARD} ${comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  ];
}
