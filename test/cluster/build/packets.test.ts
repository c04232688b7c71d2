import { describe, expect, it } from "vitest";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { build, clusterYaml, connect, modelOf, ping, sendUdp } from "./fixture.ts";

const NO_MASQUERADE = "  node: {docker: {ipMasq: false}}";

describe.each([
  ["udp", 60, "192.168.97.0"],
  ["vxlan", 62, "192.168.97.0"],
  ["host-gw", 62, "10.1.96.232"],
])("pod to pod across nodes over %s", (backend, ttl, masqueraded) => {
  it(`arrives with TTL ${ttl} and, under docker's ip-masq, from ${masqueraded}`, () => {
    const { delivered } = connect(build(clusterYaml(backend)), "node1/default/a", "192.168.96.2:80");
    expect(delivered).toBe(`node2/default/b web ${masqueraded}>192.168.96.2:80 ttl ${ttl}`);
  });

  it("keeps its source without docker's ip-masq", () => {
    const cluster = build(clusterYaml(backend, NO_MASQUERADE));
    expect(connect(cluster, "node1/default/a", "192.168.96.2:80").delivered).toBe(
      `node2/default/b web 192.168.97.2>192.168.96.2:80 ttl ${ttl}`,
    );
  });

  it("gets its answer", () => {
    const { events } = connect(build(clusterYaml(backend)), "node1/default/a", "192.168.96.2:80");
    const answer = events.find((event) => event.type === "deliver" && event.netns === "node1/default/a");
    expect(answer?.type === "deliver" ? answer.packet.ttl : null).toBe(ttl);
  });
});

describe("TTL over flannel's udp back end: each node takes one and each end of the daemon one", () => {
  it.each([
    [1, null, "node1 IP_INHDR ip_forward", "11/0 from 192.168.97.1"],
    [2, null, "node1 NOT_SPECIFIED tun_to_udp", null],
    [3, null, "node2 NOT_SPECIFIED udp_to_tun", null],
    [4, null, "node2 IP_INHDR ip_forward", "11/0 from 192.168.96.0"],
    [5, "node2/default/b dns 192.168.97.0>192.168.96.2:53 ttl 1", null, null],
  ])("TTL %i", (ttl, delivered, dropped, icmp) => {
    const outcome = sendUdp(build(clusterYaml("udp")), "node1/default/a", "192.168.96.2:53", { ttl });
    expect([outcome.delivered, outcome.icmp]).toEqual([delivered, icmp]);
    if (dropped !== null) expect(outcome.dropped).toBe(dropped);
  });
});

describe("TTL over vxlan", () => {
  it.each([
    [1, null, "11/0 from 192.168.97.1"],
    [2, null, "11/0 from 192.168.96.0"],
    [3, "node2/default/b dns 192.168.97.0>192.168.96.2:53 ttl 1", null],
  ])("TTL %i", (ttl, delivered, icmp) => {
    const outcome = sendUdp(build(clusterYaml("vxlan")), "node1/default/a", "192.168.96.2:53", { ttl });
    expect([outcome.delivered, outcome.icmp]).toEqual([delivered, icmp]);
  });
});

describe("Services and published ports", () => {
  const cluster = () => build(clusterYaml("udp"));

  it.each([
    [
      "a ClusterIP from another node's pod",
      "node1/default/a",
      "10.96.0.10:80",
      "node2/default/b web 192.168.97.0>192.168.96.2:80 ttl 60",
    ],
    [
      "a NodePort on the endpoint's node",
      "client",
      "10.1.96.233:30080",
      "node2/default/b web 192.168.96.1>192.168.96.2:80 ttl 63",
    ],
    [
      "a NodePort on the other node",
      "client",
      "10.1.96.232:30080",
      "node2/default/b web 192.168.97.0>192.168.96.2:80 ttl 60",
    ],
    [
      "a hostPort from outside, source kept",
      "client",
      "10.1.96.233:8081",
      "node2/default/b web 10.1.96.10>192.168.96.2:80 ttl 63",
    ],
    [
      "a hostPort from the node itself",
      "node2",
      "10.1.96.233:8081",
      "node2/default/b web 10.1.96.233>192.168.96.2:80 ttl 64",
    ],
    [
      "a hostPort on the node's loopback: docker-proxy",
      "node2",
      "127.0.0.1:8081",
      "node2 docker-proxy 127.0.0.1>127.0.0.1:8081 ttl 64",
    ],
    [
      "a hostPort from a pod of the node: docker-proxy",
      "node2/default/b",
      "10.1.96.233:8081",
      "node2 docker-proxy 192.168.96.2>10.1.96.233:8081 ttl 64",
    ],
    ["the kubelet", "client", "10.1.96.233:10250", "node2 kubelet 10.1.96.10>10.1.96.233:10250 ttl 64"],
    [
      "an outside host from a pod",
      "node1/default/a",
      "10.1.96.10:8080",
      "client null 10.1.96.232>10.1.96.10:8080 ttl 63",
    ],
  ])("%s", (_, from, to, delivered) => {
    expect(connect(cluster(), from, to).delivered).toBe(delivered);
  });

  it("reaches a NodePort on a node's loopback, since kube-proxy sets route_localnet", () => {
    expect(connect(cluster(), "node2", "127.0.0.1:30080").delivered).toContain("node2/default/b web");
  });
});

describe("what goes wrong", () => {
  it.each([
    ["docker 1.13's policy DROP ends what comes out of the tunnel", undefined, null],
    [
      "flannel's forward rules let it through",
      true,
      "node2/default/b dns 192.168.97.0>192.168.96.2:53 ttl 60",
    ],
  ])("%s", (_, forwardRules, delivered) => {
    const model = modelOf(clusterYaml("udp", "  node: {docker: {forwardPolicy: DROP}}"));
    if (forwardRules) Object.assign(model.flannel, { forwardRules });
    const outcome = sendUdp(buildNetwork(model), "node1/default/a", "192.168.96.2:53");
    expect(outcome.delivered).toBe(delivered);
    if (delivered === null)
      expect(outcome.events.find(({ type }) => type === "drop")).toMatchObject({
        netns: "node2",
        reason: "NETFILTER_DROP",
        table: "filter",
        chain: "FORWARD",
        rule: 0,
      });
  });

  it("a destination that no lease covers: the daemon's answer is thrown away by the kernel as its own address", () => {
    const { delivered, icmp, events } = sendUdp(
      build(clusterYaml("udp")),
      "node1/default/a",
      "192.168.95.7:53",
    );
    expect([delivered, icmp]).toEqual([null, null]);
    const drops = events.flatMap((event) =>
      event.type === "drop" ? [`${event.reason} ${event.location}`] : [],
    );
    expect(drops).toEqual(["NOT_SPECIFIED tun_to_udp", expect.stringContaining("IP_LOCAL_SOURCE")]);
  });

  it("the same for a ping: the daemon says nothing", () => {
    const { events } = ping(build(clusterYaml("udp")), "node1/default/a", "192.168.95.7");
    expect(events.some((event) => event.type === "origin" && event.kind === "daemon")).toBe(false);
  });

  it("ip_forward=0 on the sender's node", () => {
    const cluster = build(clusterYaml("udp", "  nodes: {node1: {sysctl: {net.ipv4.ip_forward: 0}}}"));
    expect(connect(cluster, "node1/default/a", "192.168.96.2:80")).toMatchObject({ delivered: null });
  });

  it.each([
    ["udp", 1472],
    ["vxlan", 1450],
  ])("a packet that does not fit %s's device, with DF", (backend, mtu) => {
    const cluster = build(clusterYaml(backend, NO_MASQUERADE));
    expect(
      sendUdp(cluster, "node1/default/a", "192.168.96.2:53", { size: mtu - 28 }).delivered,
    ).not.toBeNull();
    const tooBig = sendUdp(cluster, "node1/default/a", "192.168.96.2:53", { size: mtu - 27 });
    expect([tooBig.delivered, tooBig.icmp]).toEqual([null, "3/4 from 192.168.97.1"]);
  });
});

describe("seeds", () => {
  it("equal seeds give equal events", () => {
    const run = () =>
      JSON.stringify(connect(build(clusterYaml("udp"), { seed: 7 }), "client", "10.1.96.232:30080").events);
    expect(run()).toBe(run());
  });
});
