import {
  captureClusterIP,
  captureExternalIPs,
  captureHealthCheckNodePort,
  captureLoadBalancerVIPs,
  captureNodePort,
} from "./chains/capture.ts";
import { endpointChain } from "./chains/endpoint-chain.ts";
import { externalChain } from "./chains/external-chain.ts";
import { firewallChain } from "./chains/firewall-chain.ts";
import { masqueradeRule } from "./chains/masquerade-rule.ts";
import { policyChain, type Verbosity } from "./chains/policy-chain.ts";
import { type Endpoint, endpointsOnNode } from "./endpoints.ts";
import type { Proxier } from "./proxier.ts";
import type { ServicePort } from "./service-port.ts";
import { usesClusterEndpoints, usesLocalEndpoints } from "./service-port.ts";
import { type Traffic, trafficOf } from "./traffic.ts";

/** The port's own chains in nat and their rules. */
interface OwnChains {
  readonly natChains: readonly string[];
  readonly natRules: readonly string[];
}

/**
 * Everything that one Service port adds to a node's rules; each rule is an `iptables-restore` line. What stands in the
 * port's own chains, most of all, is worked out when somebody asks for it.
 */
export class ServicePortRules {
  readonly port: ServicePort;
  /** Rules of table filter, all in shared chains. */
  readonly filterRules: readonly string[];
  /** Rules of table nat in shared chains. */
  readonly sharedNatRules: readonly string[];
  private made: OwnChains | null = null;
  private readonly make: () => OwnChains;

  constructor(
    port: ServicePort,
    filterRules: readonly string[],
    sharedNatRules: readonly string[],
    make: () => OwnChains,
  ) {
    this.port = port;
    this.filterRules = filterRules;
    this.sharedNatRules = sharedNatRules;
    this.make = make;
  }

  private own(): OwnChains {
    this.made ??= this.make();
    return this.made;
  }

  /** Names of the port's own chains in nat. */
  get natChains(): readonly string[] {
    return this.own().natChains;
  }

  /** Rules in the port's own chains in nat. */
  get ownNatRules(): readonly string[] {
    return this.own().natRules;
  }

  /** Rules of table nat: those in shared chains first, then the port's own chains. */
  get natRules(): readonly string[] {
    return [...this.sharedNatRules, ...this.own().natRules];
  }
}

function policyChains(traffic: Traffic, verbosity: Verbosity): OwnChains {
  const { port } = traffic;
  const { clusterPolicy, localPolicy } = port.chains;
  const natChains: string[] = [];
  const natRules: string[] = [];
  const add = (chain: string, rules: readonly string[]) => {
    natChains.push(chain);
    for (const rule of rules) natRules.push(rule);
  };
  if (traffic.clusterEndpoints.length > 0 && usesClusterEndpoints(port)) {
    add(clusterPolicy, policyChain(clusterPolicy, port, traffic.clusterEndpoints, verbosity));
  }
  if (traffic.localEndpoints.length > 0 && usesLocalEndpoints(port)) {
    add(localPolicy, policyChain(localPolicy, port, traffic.localEndpoints, verbosity));
  }
  for (const endpoint of traffic.reachableEndpoints) {
    add(endpoint.chainName, endpointChain(port, endpoint, verbosity));
  }
  return { natChains, natRules };
}

/**
 * The rules of one Service port on one node, in the order in which kube-proxy writes them
 * (pkg/proxy/iptables/proxier.go: syncProxyRules). A pure function of its arguments.
 *
 * @param endpoints all the port's endpoints, as {@link endpointsByServicePort} has them.
 */
export function servicePortRules(
  port: ServicePort,
  endpoints: readonly Endpoint[],
  proxier: Proxier,
  verbosity: Verbosity,
): ServicePortRules {
  const traffic = trafficOf(port, endpointsOnNode(endpoints, proxier.nodeName), proxier);
  const captured = [
    captureClusterIP(traffic),
    captureExternalIPs(traffic),
    captureLoadBalancerVIPs(traffic),
    captureNodePort(traffic, proxier),
    captureHealthCheckNodePort(traffic),
  ];
  return new ServicePortRules(
    port,
    captured.flatMap((rules) => rules.filter),
    captured.flatMap((rules) => rules.nat),
    () => {
      const policies = policyChains(traffic, verbosity);
      return {
        natChains: [
          ...(traffic.usesExternalChain ? [port.chains.external] : []),
          ...(traffic.usesFirewallChain ? [port.chains.firewall] : []),
          ...policies.natChains,
        ],
        natRules: [
          ...masqueradeRule(traffic, proxier),
          ...externalChain(traffic, proxier),
          ...firewallChain(traffic, proxier),
          ...policies.natRules,
        ],
      };
    },
  );
}
