import { describe, expect, it } from "vitest";
import { announcements, ingressAddresses } from "../../../src/cluster/build/load-balancer.ts";
import { formatIpv4, formatMac, parseIpv4 } from "../../../src/packet/address.ts";
import { build, clusterYaml, connect, modelOf } from "./fixture.ts";

const service = (ip: string, more = ""): string => `---
apiVersion: v1
kind: Service
metadata: {name: lb}
spec: {type: LoadBalancer, clusterIP: 10.96.0.20, selector: {app: b}, ports: [{port: 80, nodePort: 30090}]${more}}
status: {loadBalancer: {ingress: [{ip: ${ip}}]}}
`;

describe("who announces an address", () => {
  const announcing = (yaml: string) => announcements(modelOf(clusterYaml("udp") + yaml));

  it("is one node, the same every time, which depends on the address", () => {
    const nodes = Array.from({ length: 20 }, (_, i) => announcing(service(`10.1.96.${200 + i}`))[0]?.node);
    expect(new Set(nodes)).toEqual(new Set(["node1", "node2"]));
    expect(announcing(service("10.1.96.200"))).toEqual(announcing(service("10.1.96.200")));
  });

  it("is a node with an endpoint under externalTrafficPolicy Local", () => {
    for (let i = 0; i < 10; i++)
      expect(announcing(service(`10.1.96.${200 + i}`, ", externalTrafficPolicy: Local"))[0]?.node).toBe(
        "node2",
      );
  });

  it("is nobody where no endpoint is ready", () => {
    expect(announcing(service("10.1.96.200").replace("{app: b}", "{app: nobody}"))).toEqual([]);
  });

  it.each([
    ["ClusterIP", {}, []],
    ["LoadBalancer", {}, ["203.0.113.10"]],
    ["LoadBalancer", { ipMode: "Proxy" }, []],
    ["LoadBalancer", { ip: "2001:db8::1" }, []],
  ])("counts a %s Service with %o as %o", (type, ingress, expected) => {
    expect(
      ingressAddresses({
        spec: { type },
        status: { loadBalancer: { ingress: [{ ip: "203.0.113.10", ...ingress }] } },
      }),
    ).toEqual(expected);
  });
});

describe("a load balancer's address from outside", () => {
  it("on the segment is answered for by a node, without being the node's", () => {
    const cluster = build(clusterYaml("udp") + service("10.1.96.200"));
    const client = cluster.network.netns("client");
    const neighbour = client.neighbours.find(client.device("eth0"), parseIpv4("10.1.96.200"));
    const [announcement] = announcements(cluster.model);
    const { nic, netns } = cluster.node(announcement?.node ?? "");
    expect(formatMac(neighbour?.mac ?? 0)).toBe(formatMac(nic.mac));
    expect(
      [...netns.devices.values()].flatMap(({ addresses }) => addresses.map(({ local }) => formatIpv4(local))),
    ).not.toContain("10.1.96.200");
    expect(connect(cluster, "client", "10.1.96.200:80").delivered).toContain("node2/default/b web");
  });

  it("elsewhere is routed by a node", () => {
    const cluster = build(clusterYaml("udp") + service("203.0.113.10"));
    expect(connect(cluster, "client", "203.0.113.10:80").delivered).toContain("node2/default/b web");
  });

  it("elsewhere is left to a host's own routes where they name it", () => {
    const router = `---
{apiVersion: podpath.dev/v1alpha1, kind: Host, metadata: {name: gw}, spec: {address: 10.1.96.1/24, routes: [{to: 203.0.113.0/24, via: 10.1.96.233}], sysctl: {net.ipv4.ip_forward: 1}}}
`;
    const { delivered, events } = connect(
      build(clusterYaml("udp") + router + service("203.0.113.10")),
      "client",
      "203.0.113.10:80",
    );
    expect(delivered).toContain("node2/default/b web");
    expect(
      events.some((event) => event.type === "device" && event.netns === "gw" && event.packet.protocol === 6),
    ).toBe(true);
  });

  it("keeps the client's address under externalTrafficPolicy Local", () => {
    const cluster = build(clusterYaml("udp") + service("10.1.96.200", ", externalTrafficPolicy: Local"));
    expect(connect(cluster, "client", "10.1.96.200:80").delivered).toBe(
      "node2/default/b web 10.1.96.10>192.168.96.2:80 ttl 63",
    );
  });

  it("moves and goes with the endpoints", () => {
    const cluster = build(clusterYaml("udp") + service("10.1.96.200", ", externalTrafficPolicy: Local"));
    cluster.update(modelOf(clusterYaml("udp")));
    const client = cluster.network.netns("client");
    expect(client.neighbours.find(client.device("eth0"), parseIpv4("10.1.96.200"))).toBeNull();
  });

  it("has its health check answered by kube-proxy", () => {
    const local = service("10.1.96.200", ", externalTrafficPolicy: Local, healthCheckNodePort: 32000");
    expect(connect(build(clusterYaml("udp") + local), "client", "10.1.96.232:32000").delivered).toContain(
      "node1 kube-proxy",
    );
  });
});
