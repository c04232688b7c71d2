import { isLoopback, parseIpv4 } from "../ipv4.ts";
import { selectedAddresses } from "../node-port-addresses.ts";
import type { Proxier } from "../proxier.ts";
import { comment } from "./text.ts";
import { KUBE_NODEPORTS, KUBE_SERVICES } from "./top-level.ts";

const LAST_RULE = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain");

/** The end of KUBE-SERVICES: one jump to KUBE-NODEPORTS, or one an address where `nodePortAddresses` selects some. */
export function nodePortsJump(proxier: Proxier): readonly string[] {
  if (proxier.nodePortAddresses.matchAll) {
    const notLoopback = proxier.localhostNodePorts ? "" : " ! -d 127.0.0.0/8";
    return [
      `-A ${KUBE_SERVICES} ${LAST_RULE} -m addrtype --dst-type LOCAL${notLoopback} -j ${KUBE_NODEPORTS}`,
    ];
  }
  return selectedAddresses(proxier.nodePortAddresses, proxier.interfaceAddresses)
    .filter((address) => proxier.localhostNodePorts || !isLoopback(parseIpv4(address) ?? 0))
    .map((address) => `-A ${KUBE_SERVICES} ${LAST_RULE} -d ${address} -j ${KUBE_NODEPORTS}`);
}
