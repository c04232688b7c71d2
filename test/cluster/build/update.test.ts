import { describe, expect, it } from "vitest";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { build, clusterYaml, connect, modelOf, sendUdp } from "./fixture.ts";

const YAML = clusterYaml("udp");
/** `b` has gone, `b2` serves in its stead on node1. */
const MOVED = YAML.replace("{name: b, labels: {app: b}}", "{name: b2, labels: {app: b}}")
  .replace("nodeName: node2\n", "nodeName: node1\n")
  .replace("podIP: 192.168.96.2", "podIP: 192.168.97.9");

describe("a model that changes", () => {
  it("moves Services to the pods that there are now", () => {
    const cluster = build(YAML);
    expect(connect(cluster, "client", "10.1.96.232:30080").delivered).toContain("node2/default/b web");
    cluster.update(modelOf(MOVED));
    expect(connect(cluster, "client", "10.1.96.232:30080", 40001).delivered).toContain(
      "node1/default/b2 web",
    );
    expect(cluster.model.pods.map(({ name }) => name)).toEqual(["a", "a2", "b2"]);
  });

  it("takes pods, their wires and their published ports away", () => {
    const cluster = build(YAML);
    cluster.update(modelOf(MOVED));
    const { netns, bridge } = cluster.node("node2");
    expect(cluster.network.namespaces.has("node2/default/b")).toBe(false);
    expect(bridge.ports).toEqual([]);
    expect(netns.netfilter.save()).not.toContain("192.168.96.2:80");
    expect(netns.sockets.listeners.map(({ port }) => port)).toEqual([10250]);
    expect(cluster.node("node1").netns.netfilter.save()).toContain(
      "--dport 8081 -j DNAT --to-destination 192.168.97.9:80",
    );
  });

  it("leaves the same rules as building it anew, but for the order of published ports", () => {
    const cluster = build(YAML);
    cluster.update(modelOf(MOVED));
    const anew = build(MOVED);
    for (const name of ["node1", "node2"])
      expect(cluster.node(name).netns.netfilter.save()).toBe(anew.node(name).netns.netfilter.save());
  });

  it("closes the ports of a container that is no longer ready, and opens them again", () => {
    const cluster = build(YAML);
    const model = modelOf(YAML);
    for (const container of model.pods[2]?.containers ?? []) container.ready = false;
    cluster.update(model);
    expect(connect(cluster, "node2", "192.168.96.2:80").delivered).not.toContain("web");
    cluster.update(modelOf(YAML));
    expect(connect(cluster, "node2", "192.168.96.2:80", 40001).delivered).toContain("web");
  });

  it("keeps connections that it does not concern", () => {
    const cluster = build(YAML);
    connect(cluster, "node1/default/a", "10.1.96.10:8080");
    const { conntrack } = cluster.node("node1").netns.netfilter;
    const before = conntrack?.size;
    expect(before).toBeGreaterThan(0);
    cluster.update(modelOf(MOVED));
    expect(cluster.node("node1").netns.netfilter.conntrack).toBe(conntrack);
    expect(conntrack?.size).toBe(before);
  });

  it.each(["1.32", "1.7"])("keeps clients with their endpoints, kube-proxy %s", (version) => {
    const others = [3, 4, 5, 6].map(
      (i) =>
        `---\n{apiVersion: v1, kind: Pod, metadata: {name: b${i}, labels: {app: b}}, spec: {nodeName: node2, containers: [{name: dns, ports: [{containerPort: 53, protocol: UDP}]}]}, status: {podIP: 192.168.96.${i}}}\n`,
    );
    const sticky =
      clusterYaml("udp", `  kubeProxy: {version: "${version}", conntrackCleanup: false}`).replace(
        "selector: {app: b}",
        "sessionAffinity: ClientIP, selector: {app: b}",
      ) + others.join("");
    const model = modelOf(sticky);
    const cluster = buildNetwork(model);
    const receiver = (): string => {
      cluster.node("node1").netns.netfilter.conntrack!.flush();
      return sendUdp(cluster, "node1/default/a", "10.96.0.10:53").delivered!.split(" ")[0]!;
    };
    const first = receiver();
    const seen = new Set<string>();
    for (let i = 0; i < 6; i++) {
      // what changes has nothing to do with it
      cluster.update({
        ...model,
        pods: i % 2 === 0 ? model.pods.filter(({ name }) => name !== "a2") : model.pods,
      });
      // once with a packet between two syncs, once without
      if (i % 3 !== 0) seen.add(receiver());
    }
    expect([...seen]).toEqual([first]);
  });

  it("refuses other nodes than those that were built", () => {
    const cluster = build(YAML);
    expect(() => cluster.update(modelOf(YAML.replaceAll("node1", "node9")))).toThrow(
      "the cluster was built with other nodes than node2, node9",
    );
  });
});

describe.each(["1.32", "1.7"])("UDP to an endpoint that is gone, kube-proxy %s", (version) => {
  const withCleanup = (yaml: string, on: boolean) =>
    yaml.replace(
      "spec:\n  serviceCIDR",
      `spec:\n  kubeProxy: {version: "${version}", conntrackCleanup: ${on}}\n  serviceCIDR`,
    );

  it.each([
    [true, "node1/default/b2 dns"],
    [false, null],
  ])("with conntrackCleanup %s the same source port reaches %s", (on, receiver) => {
    const cluster = buildNetwork(modelOf(withCleanup(YAML, on)));
    expect(sendUdp(cluster, "node1/default/a", "10.96.0.10:53").delivered).toContain("node2/default/b dns");
    cluster.update(modelOf(withCleanup(MOVED, on)));
    const { delivered } = sendUdp(cluster, "node1/default/a", "10.96.0.10:53");
    if (receiver === null) expect(delivered).toBeNull();
    else expect(delivered).toContain(receiver);
  });
});
