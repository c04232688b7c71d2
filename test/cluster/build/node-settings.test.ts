import { describe, expect, it } from "vitest";
import { TopologyError } from "../../../src/topology/load/fault.ts";
import { build, clusterYaml, connect, modelOf, ping } from "./fixture.ts";

const nodes = (settings: string): string => `  node: {docker: {ipMasq: false}}\n  nodes:\n${settings}`;

describe("a node's static routes", () => {
  it("lead where they say, beside the default route", () => {
    const cluster = build(
      clusterYaml("udp", nodes("    node1: {routes: [{to: 172.16.0.0/16, via: 10.1.96.233}]}")),
    );
    const { events } = ping(cluster, "node1", "172.16.0.1");
    expect(events.some((event) => event.type === "device" && event.netns === "node2")).toBe(true);
  });

  it("are refused, with the kernel's words, when their next hop is on no network of the node's", () => {
    const { refused } = build(
      clusterYaml("udp", nodes("    node1: {routes: [{to: 172.16.0.0/16, via: 10.9.9.9}]}")),
    );
    expect(refused).toEqual(["node1: ip route add 172.16.0.0/16 via 10.9.9.9: Nexthop has invalid gateway."]);
  });
});

describe("rules of the administrator's own", () => {
  const dropping = (field: string) =>
    nodes(
      `    node2:\n      ${field}: |\n        *filter\n        -A FORWARD -d 192.168.96.2/32 -j DROP\n        COMMIT`,
    );

  it("come after everybody's, and stay when kube-proxy syncs", () => {
    const cluster = build(clusterYaml("udp", dropping("iptables")));
    cluster.update(cluster.model);
    // docker itself accepts the published port
    expect(connect(cluster, "node1/default/a", "192.168.96.2:80").delivered).not.toBeNull();
    const { dropped } = ping(cluster, "node1/default/a", "192.168.96.2");
    expect(dropped).toBe("node2 NETFILTER_DROP nf_hook_slow");
    expect(cluster.node("node2").netns.netfilter.save()).toContain("-A FORWARD -d 192.168.96.2/32 -j DROP\n");
  });

  it("of iptables-legacy drop what iptables-nft's accept, and iptables-save does not show them", () => {
    const cluster = build(clusterYaml("udp", dropping("iptablesLegacy")));
    const { events } = connect(cluster, "node1/default/a", "192.168.96.2:80");
    const drop = events.find((event) => event.type === "drop" && event.reason === "NETFILTER_DROP");
    expect(drop).toMatchObject({ netns: "node2", table: "legacy filter", chain: "FORWARD", rule: 1 });
    expect(cluster.node("node2").netns.netfilter.save()).not.toContain("192.168.96.2/32 -j DROP");
  });

  it("of iptables-legacy translate where no other rule has", () => {
    const legacy = nodes(
      "    node1:\n      iptablesLegacy: |\n        *nat\n        -A POSTROUTING -s 192.168.97.2/32 -d 10.1.96.10/32 -j SNAT --to-source 10.1.96.232\n        COMMIT",
    );
    const { delivered } = connect(build(clusterYaml("udp", legacy)), "node1/default/a", "10.1.96.10:8080");
    expect(delivered).toMatch(/^client null 10\.1\.96\.232>10\.1\.96\.10:8080/);
  });

  it("that iptables-restore refuses change nothing, and are told", () => {
    const broken = nodes(
      "    node1:\n      iptables: |\n        *filter\n        -A NOWHERE -j DROP\n        COMMIT",
    );
    const [refusal] = build(clusterYaml("udp", broken)).refused;
    expect(refusal).toMatch(/^iptables-restore on node1: line 2: /);
  });
});

describe("flannel's lease of a node", () => {
  it.each(["udp", "vxlan", "host-gw"])("says where the others send over %s", (backend) => {
    const cluster = build(clusterYaml(backend, nodes("    node2: {flannel: {publicIP: 10.1.96.10}}")));
    const { delivered, events } = connect(cluster, "node1/default/a", "192.168.96.2:80");
    expect(delivered).toBeNull();
    expect(events.some((event) => event.type === "device" && event.netns === "client")).toBe(true);
    expect(
      events.some((event) => event.type === "device" && event.netns === "node2" && event.direction === "tx"),
    ).toBe(false);
  });

  it.each(["udp", "vxlan", "host-gw"])("is forgotten once it has run out, over %s", (backend) => {
    const cluster = build(clusterYaml(backend, nodes("    node2: {flannel: {lease: false}}")));
    expect(connect(cluster, "node1/default/a", "192.168.96.2:80").delivered).toBeNull();
    // node2 itself still knows the others
    expect(
      ping(cluster, "node2", "192.168.97.2").events.some((e) => e.type === "device" && e.netns === "node1"),
    ).toBe(true);
  });
});

describe("settings that cannot be", () => {
  it.each([
    [
      "    node1: {routes: [{to: 172.16.0.0, via: 10.1.96.1}]}",
      "spec.nodes.node1.routes[0].to",
      "not an IPv4 block",
    ],
    ["    node1: {routes: [{to: 172.16.0.0/16}]}", "spec.nodes.node1.routes[0].via", ""],
    ["    node1: {flannel: {publicIP: here}}", "spec.nodes.node1.flannel.publicIP", "not an IPv4 address"],
    ["    node1: {flannel: {lease: 3}}", "spec.nodes.node1.flannel.lease", ""],
    ["    node1: {iptables: 3}", "spec.nodes.node1.iptables", ""],
    ["    node1: {iptables: '*filter'}", "spec.nodes.node1.iptables", "has no COMMIT"],
    ["    node1: {iptablesLegacy: 'COMMIT'}", "spec.nodes.node1.iptablesLegacy", "COMMIT without a table"],
  ])("%s", (settings, path, text) => {
    try {
      modelOf(clusterYaml("udp", nodes(settings)));
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof TopologyError)) throw error;
      expect(error.faults.map((fault) => fault.path.replaceAll('"', ""))).toEqual([path]);
      expect(error.faults[0]?.message).toContain(text);
    }
  });
});
