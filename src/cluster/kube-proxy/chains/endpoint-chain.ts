import type { Endpoint } from "../endpoints.ts";
import type { ServicePort } from "../service-port.ts";
import type { Verbosity } from "./policy-chain.ts";
import { KUBE_MARK_MASQ } from "./top-level.ts";

/** KUBE-SEP: one endpoint. A pod that reaches itself is masqueraded, or it would answer itself directly. */
export function endpointChain(
  port: ServicePort,
  endpoint: Endpoint,
  { endpointComments }: Verbosity,
): readonly string[] {
  const { chainName, ip, text } = endpoint;
  const head = `-A ${chainName}${endpointComments ? ` -m comment --comment ${port.nameString}` : ""}`;
  const remember = port.sessionAffinity === "ClientIP" ? ` -m recent --name ${chainName} --set` : "";
  return [
    `${head} -s ${ip} -j ${KUBE_MARK_MASQ}`,
    `${head}${remember} -m ${port.protocol} -p ${port.protocol} -j DNAT --to-destination ${text}`,
  ];
}
