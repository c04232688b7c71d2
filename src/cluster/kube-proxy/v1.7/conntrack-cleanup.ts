/**
 * Which conntrack entries kube-proxy 1.7 deletes: unlike its successors it goes by what changed, and by UDP alone
 * (pkg/proxy/iptables/proxier.go: deleteEndpointConnections, clearUDPConntrackForPort; pkg/proxy/util/conntrack.go).
 */
import type { ConntrackFilter } from "../conntrack-cleanup.ts";
import { parseIpv4 } from "../ipv4.ts";
import type { ProxyState } from "./restore.ts";
import type { ServicePort } from "./service-port.ts";

const IPPROTO_UDP = 17;

function udpPorts(state: ProxyState): ReadonlyMap<string, ServicePort> {
  const udp = state.servicePorts.filter((port) => port.protocol === "udp");
  return new Map(udp.map((port) => [port.nameString, port]));
}

function to(port: ServicePort): ConntrackFilter {
  return { protocol: IPPROTO_UDP, originalDestination: parseIpv4(port.clusterIP) ?? 0 };
}

/** Endpoints that went away, of ports that are still there; `--dst-nat` is the reply's source. */
function goneEndpoints(before: ProxyState, after: ProxyState): readonly ConntrackFilter[] {
  const filters: ConntrackFilter[] = [];
  for (const [name, port] of udpPorts(after)) {
    const kept = new Set((after.endpoints.get(name) ?? []).map((endpoint) => endpoint.text));
    for (const { ip, text } of before.endpoints.get(name) ?? []) {
      if (!kept.has(text)) filters.push({ ...to(port), replySource: parseIpv4(ip) ?? 0 });
    }
  }
  return filters;
}

/**
 * The deletions between two syncs: entries to NodePorts newly opened, to cluster IPs of ports that went away, and
 * from a cluster IP to endpoints that went away. That a Service gets its first endpoint deletes nothing in 1.7.
 */
export function staleConntrackEntries(before: ProxyState, after: ProxyState): readonly ConntrackFilter[] {
  const previous = udpPorts(before);
  const next = udpPorts(after);
  const opened = new Set([...previous.values()].map((port) => port.nodePort));
  const ports = [...next.values()].map((port) => port.nodePort);
  return [
    ...ports
      .filter((nodePort) => nodePort !== 0 && !opened.has(nodePort))
      .map((originalDestinationPort) => ({ protocol: IPPROTO_UDP, originalDestinationPort })),
    ...[...previous].filter(([name]) => !next.has(name)).map(([, port]) => to(port)),
    ...goneEndpoints(before, after),
  ];
}
