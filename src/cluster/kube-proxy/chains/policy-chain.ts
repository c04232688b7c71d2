import type { Endpoint } from "../endpoints.ts";
import type { ServicePort } from "../service-port.ts";
import { comment } from "./text.ts";

/** Whether rules that come once an endpoint carry their comments; they do not above 1,000 endpoints in all. */
export interface Verbosity {
  readonly endpointComments: boolean;
}

/** The probability 1/n with the ten digits kube-proxy prints. */
function probability(n: number): string {
  return (1 / n).toFixed(10);
}

/**
 * KUBE-SVC or KUBE-SVL: spreads connections over the endpoints. A client that was here within the affinity time
 * goes back to its endpoint: all those rules come first. Of n endpoints left the next gets 1/n, the last the rest.
 */
export function policyChain(
  chain: string,
  port: ServicePort,
  endpoints: readonly Endpoint[],
  { endpointComments }: Verbosity,
): readonly string[] {
  const rules: string[] = [];
  const heads = endpoints.map((endpoint) => {
    const why = endpointComments ? ` ${comment(`${port.nameString} -> ${endpoint.text}`)}` : "";
    return `-A ${chain}${why}`;
  });
  if (port.sessionAffinity === "ClientIP") {
    endpoints.forEach(({ chainName }, i) => {
      rules.push(
        `${heads[i]} -m recent --name ${chainName} --rcheck --seconds ${port.stickyMaxAgeSeconds} --reap -j ${chainName}`,
      );
    });
  }
  endpoints.forEach(({ chainName }, i) => {
    const left = endpoints.length - i;
    const random = left > 1 ? ` -m statistic --mode random --probability ${probability(left)}` : "";
    rules.push(`${heads[i]}${random} -j ${chainName}`);
  });
  return rules;
}
