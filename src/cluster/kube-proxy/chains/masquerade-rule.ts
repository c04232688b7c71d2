import type { Proxier } from "../proxier.ts";
import type { Traffic } from "../traffic.ts";
import { comment, destination } from "./text.ts";
import { KUBE_MARK_MASQ } from "./top-level.ts";

/**
 * First rule of KUBE-SVC (or KUBE-SVL under internal policy Local): traffic to the cluster IP that comes from no
 * local pod is masqueraded, because whoever routed it here may not be on the way back.
 */
export function masqueradeRule(traffic: Traffic, proxier: Proxier): readonly string[] {
  if (!traffic.hasInternalEndpoints) return [];
  const { port } = traffic;
  const why = comment(`${port.nameString} cluster IP`);
  const head = `-A ${traffic.internalChain} ${why} ${destination(port.protocol, port.clusterIP, port.port)}`;
  if (proxier.masqueradeAll) return [`${head} -j ${KUBE_MARK_MASQ}`];
  if (proxier.localDetector === undefined) return [];
  return [`${head} ${proxier.localDetector.ifNotLocal} -j ${KUBE_MARK_MASQ}`];
}
