import type { Verbosity } from "./chains/policy-chain.ts";
import type { Endpoint } from "./endpoints.ts";
import { blockContains } from "./ipv4.ts";
import type { Proxier } from "./proxier.ts";
import { endpointsOf, type ProxyState } from "./proxy-state.ts";
import type { ServicePort } from "./service-port.ts";
import { usesLocalEndpoints } from "./service-port.ts";
import { type ServicePortRules, servicePortRules } from "./service-port-rules.ts";

/** More endpoints than this in all, and kube-proxy leaves out the comments of the rules that come once an endpoint. */
const LARGE_CLUSTER_ENDPOINTS = 1000;

/** How much kube-proxy says in comments, by the size of the cluster. */
export const verbosityOf = ({ totalEndpoints }: ProxyState): Verbosity => ({
  endpointComments: totalEndpoints <= LARGE_CLUSTER_ENDPOINTS,
});

/** The rules of every Service port on one node, in the order of the state's Service ports. */
export interface NodePortRules<Rules = ServicePortRules> {
  /** What all nodes with such settings share: {@link own} in place of its entries, it is the node's. */
  readonly common: readonly Rules[];
  /** Places of the Service ports whose rules a node's name, zone or address can bear on. */
  readonly varying: readonly number[];
  /** The node's rules of those Service ports. */
  readonly own: readonly Rules[];
}

/** Makes a Service port's rules on a node, in one of kube-proxy's modes. */
type MakeRules<Rules, Node extends Proxier> = (
  port: ServicePort,
  endpoints: readonly Endpoint[],
  node: Node,
) => Rules;

/** The rules as one list. */
export function portRulesOf<Rules>({ common, varying, own }: NodePortRules<Rules>): Rules[] {
  const all = [...common];
  varying.forEach((place, i) => {
    all[place] = own[i]!;
  });
  return all;
}

/**
 * Makes nodes' rules of the Service ports of one state, and gives nodes the very same object wherever their rules of a
 * Service port are equal: most ports have one set of rules for the whole cluster.
 */
export class SharedPortRules<Rules, Node extends Proxier> {
  private readonly state: ProxyState;
  private readonly make: MakeRules<Rules, Node>;
  private readonly varying: readonly VaryingPort<Rules, Node>[];
  private readonly places: readonly number[];
  /** Of the varying ports, those that more than the node's own endpoints bears on. */
  private readonly intricate: number[] = [];
  /** Of the others, those that have endpoints on a node. */
  private readonly concerned = new Map<string, number[]>();
  /** The varying ports' rules on a node without any endpoints. */
  private readonly elsewhere = new Map<string, readonly Rules[]>();
  private readonly commons = new Map<string, readonly Rules[]>();

  constructor(state: ProxyState, make: MakeRules<Rules, Node>) {
    this.state = state;
    this.make = make;
    this.varying = state.servicePorts.flatMap((port, place) => {
      const endpoints = endpointsOf(state, port);
      return varies(port, endpoints) ? [new VaryingPort(place, port, endpoints, make)] : [];
    });
    this.places = this.varying.map(({ place }) => place);
    this.varying.forEach((port, i) => {
      if (!port.isPlain) this.intricate.push(i);
      else
        for (const node of port.nodes()) {
          const known = this.concerned.get(node);
          if (known === undefined) this.concerned.set(node, [i]);
          else known.push(i);
        }
    });
  }

  of(proxier: Node): NodePortRules<Rules> {
    const settings = settingsKey(proxier);
    let common = this.commons.get(settings);
    if (common === undefined) {
      common = this.state.servicePorts.map((port) => this.make(port, endpointsOf(this.state, port), proxier));
      this.commons.set(settings, common);
      for (const port of this.varying) port.put(settings, proxier, common[port.place]!);
    }
    return { common, varying: this.places, own: this.ownOf(settings, proxier) };
  }

  /** Most ports have no endpoint on the node and differ by nothing else: those are taken over from a list for all nodes. */
  private ownOf(settings: string, proxier: Node): Rules[] {
    let elsewhere = this.elsewhere.get(settings);
    if (elsewhere === undefined) {
      const nowhere = { ...proxier, nodeName: "" };
      elsewhere = this.varying.map((port) => port.of(settings, nowhere));
      this.elsewhere.set(settings, elsewhere);
    }
    const own = elsewhere.slice();
    for (const places of [this.concerned.get(proxier.nodeName) ?? [], this.intricate])
      for (const i of places) own[i] = this.varying[i]!.of(settings, proxier);
    return own;
  }
}

/** The rules in iptables mode. */
export type SharedServicePortRules = SharedPortRules<ServicePortRules, Proxier>;

/** Those of one state, for all its nodes. */
export function sharedServicePortRules(state: ProxyState): SharedServicePortRules {
  const verbosity = verbosityOf(state);
  return new SharedPortRules(state, (port, endpoints, node) =>
    servicePortRules(port, endpoints, node, verbosity),
  );
}

/** What of the node bears on the rules of any Service port. */
function settingsKey({ localhostNodePorts, nfacct, masqueradeAll, localDetector }: Proxier): string {
  return `${masqueradeAll} ${localhostNodePorts && nfacct} ${localDetector?.ifLocal ?? ""}`;
}

/** Can name, zone or address of a node bear on the rules of this Service port? */
const varies = (port: ServicePort, endpoints: readonly Endpoint[]): boolean =>
  port.loadBalancerSourceRanges.length > 0 ||
  usesLocalEndpoints(port) ||
  endpoints.some(({ duplicates, zoneHints }) => duplicates.length > 0 || zoneHints.length > 0);

/** A Service port whose rules are not everywhere the same. */
class VaryingPort<Rules, Node extends Proxier> {
  readonly place: number;
  private readonly port: ServicePort;
  private readonly endpoints: readonly Endpoint[];
  private readonly make: MakeRules<Rules, Node>;
  /** By the nodes' settings, then by what else of a node bears on the rules. */
  private readonly variants = new Map<string, Map<string, Rules>>();
  private readonly hinted: boolean;
  private readonly duplicated: boolean;
  /** Only the node's own endpoints bear on the rules. */
  readonly isPlain: boolean;
  /** Endpoints of each node, as far as traffic may be kept on it. */
  private readonly localTo = new Map<string, string>();

  constructor(
    place: number,
    port: ServicePort,
    endpoints: readonly Endpoint[],
    make: MakeRules<Rules, Node>,
  ) {
    this.make = make;
    this.place = place;
    this.port = port;
    this.endpoints = endpoints;
    this.hinted = endpoints.some(({ zoneHints }) => zoneHints.length > 0);
    this.duplicated = endpoints.some(({ duplicates }) => duplicates.length > 0);
    this.isPlain = !this.hinted && !this.duplicated && port.loadBalancerSourceRanges.length === 0;
    if (!usesLocalEndpoints(port)) return;
    for (const { nodeName = "", text } of endpoints)
      if (nodeName !== "") this.localTo.set(nodeName, `${this.localTo.get(nodeName) ?? ""} ${text}`);
  }

  /** Nodes on which traffic may be kept. */
  nodes(): Iterable<string> {
    return this.localTo.keys();
  }

  put(settings: string, proxier: Node, rules: Rules): void {
    this.variantsUnder(settings).set(this.key(proxier), rules);
  }

  of(settings: string, proxier: Node): Rules {
    const variants = this.variantsUnder(settings);
    const key = this.key(proxier);
    let rules = variants.get(key);
    if (rules === undefined) {
      rules = this.make(this.port, this.endpoints, proxier);
      variants.set(key, rules);
    }
    return rules;
  }

  private variantsUnder(settings: string): Map<string, Rules> {
    let variants = this.variants.get(settings);
    if (variants === undefined) {
      variants = new Map();
      this.variants.set(settings, variants);
    }
    return variants;
  }

  private key({ nodeIP, nodeName, zone }: Proxier): string {
    const local = this.localTo.get(nodeName) ?? "";
    if (this.isPlain) return local;
    const fromNode = this.port.loadBalancerSourceRanges.some((range) => blockContains(range, nodeIP));
    if (this.duplicated) return `${fromNode} ${zone} node ${nodeName}`;
    return `${fromNode} ${this.hinted ? zone : ""}${local}`;
  }
}
