/**
 * Which conntrack entries kube-proxy 1.32.3 deletes after each sync (pkg/proxy/conntrack/cleanup.go). It does not
 * look at what changed: it reads the table and compares it with the Services. Only UDP is dealt with; TCP and SCTP
 * notice by themselves. Services without a serving endpoint are passed over, and deleted Services are forgotten,
 * so their entries live on.
 */
import { parseIpv4 } from "./ipv4.ts";
import { endpointsOf, type ProxyState } from "./proxy-state.ts";

const IPPROTO_UDP = 17;

/** What the clean-up reads of a conntrack entry; addresses are unsigned 32-bit integers. */
export interface ConntrackFlow {
  readonly protocol: number;
  readonly originalDestination: number;
  readonly originalDestinationPort: number;
  /** Source of the reply direction: the endpoint, after DNAT. */
  readonly replySource: number;
}

/** Entries to delete: all that agree with every field that is given. */
export interface ConntrackFilter {
  readonly protocol: number;
  readonly originalDestination?: number;
  readonly originalDestinationPort?: number;
  readonly replySource?: number;
}

/** Addresses of serving endpoints by where UDP traffic for them goes. */
export interface UdpBackends {
  /** By `address * 65536 + port` of cluster IPs, load-balancer and external addresses. */
  readonly byServiceAddress: ReadonlyMap<number, ReadonlySet<number>>;
  readonly byNodePort: ReadonlyMap<number, ReadonlySet<number>>;
}

function frontend(address: number, port: number): number {
  return address * 65536 + port;
}

/** What the conntrack table should hold of UDP Services, for {@link staleConntrackEntries}. */
export function udpBackends(state: ProxyState): UdpBackends {
  const byServiceAddress = new Map<number, ReadonlySet<number>>();
  const byNodePort = new Map<number, ReadonlySet<number>>();
  for (const port of state.servicePorts) {
    if (port.protocol !== "udp") continue;
    const serving = new Set<number>();
    for (const endpoint of endpointsOf(state, port)) {
      const address = endpoint.serving ? parseIpv4(endpoint.ip) : undefined;
      if (address !== undefined) serving.add(address);
    }
    if (serving.size === 0) continue;
    for (const text of [port.clusterIP, ...port.loadBalancerVIPs, ...port.externalIPs]) {
      const address = parseIpv4(text);
      if (address !== undefined) byServiceAddress.set(frontend(address, port.port), serving);
    }
    if (port.nodePort !== 0) byNodePort.set(port.nodePort, serving);
  }
  return { byServiceAddress, byNodePort };
}

/**
 * The deletions kube-proxy orders: UDP entries to a Service's address and port, or to any address at its
 * NodePort, that do not lead to a serving endpoint's address.
 */
export function staleConntrackEntries(
  backends: UdpBackends,
  entries: Iterable<ConntrackFlow>,
): readonly ConntrackFilter[] {
  const filters: ConntrackFilter[] = [];
  for (const { protocol, originalDestination, originalDestinationPort, replySource } of entries) {
    if (protocol !== IPPROTO_UDP) continue;
    const service = backends.byServiceAddress.get(frontend(originalDestination, originalDestinationPort));
    if (service !== undefined && !service.has(replySource)) {
      filters.push({ protocol, originalDestination, originalDestinationPort, replySource });
    }
    const nodePort = backends.byNodePort.get(originalDestinationPort);
    if (nodePort !== undefined && !nodePort.has(replySource)) {
      filters.push({ protocol, originalDestinationPort, replySource });
    }
  }
  return filters;
}

/** Whether the filter selects the entry (pkg/proxy/conntrack/conntrack.go: MatchConntrackFlow). */
export function matchesFilter(filter: ConntrackFilter, flow: ConntrackFlow): boolean {
  return (
    filter.protocol === flow.protocol &&
    (filter.originalDestination ?? flow.originalDestination) === flow.originalDestination &&
    (filter.originalDestinationPort ?? flow.originalDestinationPort) === flow.originalDestinationPort &&
    (filter.replySource ?? flow.replySource) === flow.replySource
  );
}
