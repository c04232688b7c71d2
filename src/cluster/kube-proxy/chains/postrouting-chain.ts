import type { Proxier } from "../proxier.ts";
import { comment } from "./text.ts";
import { KUBE_MARK_MASQ, KUBE_POSTROUTING } from "./top-level.ts";

/**
 * KUBE-POSTROUTING: masquerades what is marked, and takes the mark off first, lest a packet that crosses the
 * stack again (in a tunnel) be masqueraded again.
 */
export function postroutingChain(proxier: Proxier): readonly string[] {
  const mark = proxier.masqueradeMark;
  const randomFully = proxier.randomFully ? " --random-fully" : "";
  return [
    `-A ${KUBE_POSTROUTING} -m mark ! --mark ${mark}/${mark} -j RETURN`,
    `-A ${KUBE_POSTROUTING} -j MARK --xor-mark ${mark}`,
    `-A ${KUBE_POSTROUTING} ${comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE${randomFully}`,
  ];
}

/** KUBE-MARK-MASQ: marks for KUBE-POSTROUTING. */
export function markMasqChain(proxier: Proxier): readonly string[] {
  return [`-A ${KUBE_MARK_MASQ} -j MARK --or-mark ${proxier.masqueradeMark}`];
}
