/**
 * The rules in the shared chains that catch a Service port's traffic: KUBE-SERVICES and KUBE-NODEPORTS in nat
 * send it to the port's own chains, KUBE-SERVICES and KUBE-EXTERNAL-SERVICES in filter refuse what no endpoint
 * could take.
 */
import type { Proxier } from "../proxier.ts";
import type { Traffic } from "../traffic.ts";
import { comment, destination } from "./text.ts";
import {
  KUBE_EXTERNAL_SERVICES,
  KUBE_NODEPORTS,
  KUBE_PROXY_FIREWALL,
  KUBE_SERVICES,
  NFACCT_LOCALHOST_NODEPORTS,
} from "./top-level.ts";

/** Rules of the two tables, in kube-proxy's order. */
export interface CaptureRules {
  readonly filter: readonly string[];
  readonly nat: readonly string[];
}

/** Nowhere an endpoint is REJECT; endpoints that only the traffic policy keeps away are DROP. */
function refusal(traffic: Traffic): { readonly why: string; readonly target: string } {
  const name = traffic.port.nameString;
  return traffic.hasEndpoints
    ? { why: comment(`${name} has no local endpoints`), target: "DROP" }
    : { why: comment(`${name} has no endpoints`), target: "REJECT" };
}

/** Traffic to the cluster IP. */
export function captureClusterIP(traffic: Traffic): CaptureRules {
  const { port } = traffic;
  const match = destination(port.protocol, port.clusterIP, port.port);
  if (traffic.hasInternalEndpoints) {
    const why = comment(`${port.nameString} cluster IP`);
    return { filter: [], nat: [`-A ${KUBE_SERVICES} ${why} ${match} -j ${traffic.internalChain}`] };
  }
  const { why, target } = refusal(traffic);
  return { filter: [`-A ${KUBE_SERVICES} ${why} ${match} -j ${target}`], nat: [] };
}

function refuseExternal(traffic: Traffic, address: string): readonly string[] {
  if (traffic.hasExternalEndpoints) return [];
  const { port } = traffic;
  const { why, target } = refusal(traffic);
  return [
    `-A ${KUBE_EXTERNAL_SERVICES} ${why} ${destination(port.protocol, address, port.port)} -j ${target}`,
  ];
}

/** Traffic to `externalIPs`. */
export function captureExternalIPs(traffic: Traffic): CaptureRules {
  const { port } = traffic;
  const why = comment(`${port.nameString} external IP`);
  return {
    filter: port.externalIPs.flatMap((address) => refuseExternal(traffic, address)),
    nat: !traffic.hasEndpoints
      ? []
      : port.externalIPs.map(
          (address) =>
            `-A ${KUBE_SERVICES} ${why} ${destination(port.protocol, address, port.port)} -j ${port.chains.external}`,
        ),
  };
}

/** Traffic to load-balancer addresses; with source ranges, what KUBE-FW did not accept is dropped in filter. */
export function captureLoadBalancerVIPs(traffic: Traffic): CaptureRules {
  const { port } = traffic;
  const { firewall, external } = port.chains;
  const addresses = port.loadBalancerVIPs;
  const chain = traffic.usesFirewallChain ? firewall : external;
  const why = comment(`${port.nameString} loadbalancer IP`);
  const notAccepted = comment(`${port.nameString} traffic not accepted by ${firewall}`);
  const match = (address: string) => destination(port.protocol, address, port.port);
  const drops = addresses.map(
    (address) => `-A ${KUBE_PROXY_FIREWALL} ${notAccepted} ${match(address)} -j DROP`,
  );
  return {
    filter: [
      ...(traffic.usesFirewallChain ? drops : []),
      ...addresses.flatMap((address) => refuseExternal(traffic, address)),
    ],
    nat: traffic.hasEndpoints
      ? addresses.map((address) => `-A ${KUBE_SERVICES} ${why} ${match(address)} -j ${chain}`)
      : [],
  };
}

/** Traffic to the NodePort; the counted rule for 127.0.0.0/8 only counts, the next one does the same. */
export function captureNodePort(traffic: Traffic, proxier: Proxier): CaptureRules {
  const { port } = traffic;
  if (port.nodePort === 0) return { filter: [], nat: [] };
  const { protocol, nodePort } = port;
  const { why, target } = refusal(traffic);
  const head = `-A ${KUBE_NODEPORTS} -m comment --comment ${port.nameString} -m ${protocol} -p ${protocol}`;
  const counted = `${head} -d 127.0.0.0/8 --dport ${nodePort} -m nfacct --nfacct-name ${NFACCT_LOCALHOST_NODEPORTS} -j ${port.chains.external}`;
  return {
    filter: traffic.hasExternalEndpoints
      ? []
      : [
          `-A ${KUBE_EXTERNAL_SERVICES} ${why} -m addrtype --dst-type LOCAL -m ${protocol} -p ${protocol} --dport ${nodePort} -j ${target}`,
        ],
    nat: !traffic.hasEndpoints
      ? []
      : [
          ...(proxier.localhostNodePorts && proxier.nfacct ? [counted] : []),
          `${head} --dport ${nodePort} -j ${port.chains.external}`,
        ],
  };
}

/** Health checks of the load balancer, which kube-proxy answers with or without endpoints. */
export function captureHealthCheckNodePort(traffic: Traffic): CaptureRules {
  const { port } = traffic;
  if (port.healthCheckNodePort === 0) return { filter: [], nat: [] };
  const why = comment(`${port.nameString} health check node port`);
  return {
    filter: [`-A ${KUBE_NODEPORTS} ${why} -m tcp -p tcp --dport ${port.healthCheckNodePort} -j ACCEPT`],
    nat: [],
  };
}
