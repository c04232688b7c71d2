import type { Service } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import {
  type ConntrackFlow,
  matchesFilter,
  staleConntrackEntries,
  udpBackends,
} from "../../../src/cluster/kube-proxy/conntrack-cleanup.ts";
import { parseIpv4 } from "../../../src/cluster/kube-proxy/ipv4.ts";
import { proxyState } from "../../../src/cluster/kube-proxy/proxy-state.ts";
import { staleConntrackEntries as stale17 } from "../../../src/cluster/kube-proxy/v1.7/conntrack-cleanup.ts";
import { proxyState as proxyState17 } from "../../../src/cluster/kube-proxy/v1.7/restore.ts";
import { loadBalancer, slice } from "./cluster.ts";

const UDP = 17;
const PORTS = { ports: [{ name: "", port: 8053, protocol: "UDP" }] };
const ip = (text: string) => parseIpv4(text) ?? 0;

function dns(over: Parameters<typeof loadBalancer>[0] = {}): Service {
  return loadBalancer({
    externalIPs: ["198.51.100.7"],
    ports: [{ port: 53, protocol: "UDP", nodePort: 30053 }],
    ...over,
  });
}

function flow(text: string, protocol = UDP): ConntrackFlow {
  const [destination = "", source = ""] = text.split(" > ");
  const [address = "", port = ""] = destination.split(":");
  return {
    protocol,
    originalDestination: ip(address),
    originalDestinationPort: Number(port),
    replySource: ip(source),
  };
}

describe("kube-proxy 1.32.3 deletes conntrack entries", () => {
  const backends = udpBackends(
    proxyState([dns()], [slice(["192.168.96.4", "192.168.96.5 unready", "192.168.96.6 terminating"], PORTS)]),
  );
  it.each([
    ["to an endpoint that serves", flow("10.0.0.10:53 > 192.168.96.4"), 0],
    ["to one that still serves while it terminates", flow("10.0.0.10:53 > 192.168.96.6"), 0],
    ["to one that is not ready", flow("10.0.0.10:53 > 192.168.96.5"), 1],
    ["to one that is gone", flow("10.0.0.10:53 > 192.168.96.9"), 1],
    ["that were never translated", flow("10.0.0.10:53 > 10.0.0.10"), 1],
    ["at the load balancer's address", flow("203.0.113.10:53 > 192.168.96.9"), 1],
    ["at an external address", flow("198.51.100.7:53 > 192.168.96.9"), 1],
    ["at the NodePort of any address", flow("10.1.96.232:30053 > 192.168.96.9"), 1],
    ["at another port of the cluster IP", flow("10.0.0.10:54 > 192.168.96.9"), 0],
    ["at another address", flow("10.0.0.11:53 > 192.168.96.9"), 0],
    ["of TCP", flow("10.0.0.10:53 > 192.168.96.9", 6), 0],
    ["of SCTP", flow("10.0.0.10:53 > 192.168.96.9", 132), 0],
  ])("%s", (_, entry, deletions) => {
    const filters = staleConntrackEntries(backends, [entry]);
    expect(filters).toHaveLength(deletions);
    expect(filters.every((filter) => matchesFilter(filter, entry))).toBe(true);
  });

  it.each([
    ["there is no endpoint", [dns()], [slice([], PORTS)]],
    ["no endpoint serves", [dns()], [slice(["192.168.96.4 unready"], PORTS)]],
    ["the Service is gone", [], [slice(["192.168.96.4"], PORTS)]],
  ])("but none when %s", (_, services, slices) => {
    const entry = flow("10.0.0.10:53 > 192.168.96.9");
    expect(staleConntrackEntries(udpBackends(proxyState(services, slices)), [entry])).toEqual([]);
  });
});

describe("kube-proxy 1.7 deletes conntrack entries", () => {
  const before = proxyState17([dns()], [slice(["192.168.96.4", "192.168.96.5"], PORTS)]);
  const toClusterIP = { protocol: UDP, originalDestination: ip("10.0.0.10") };
  it.each([
    ["none when nothing changed", before, before, []],
    [
      "to endpoints that went away",
      before,
      proxyState17([dns()], [slice(["192.168.96.4"], PORTS)]),
      [{ ...toClusterIP, replySource: ip("192.168.96.5") }],
    ],
    [
      "to endpoints that are not ready any more",
      before,
      proxyState17([dns()], [slice(["192.168.96.4", "192.168.96.5 unready"], PORTS)]),
      [{ ...toClusterIP, replySource: ip("192.168.96.5") }],
    ],
    ["to the cluster IP of a Service that went away", before, proxyState17([], []), [toClusterIP]],
    [
      "at a NodePort newly opened",
      proxyState17([], []),
      before,
      [{ protocol: UDP, originalDestinationPort: 30053 }],
    ],
    ["none for the first endpoint", proxyState17([dns()], []), before, []],
  ])("%s", (_, from, next, expected) => {
    expect(stale17(from, next)).toEqual(expected);
  });
});
