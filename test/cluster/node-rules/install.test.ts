import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { clusterYaml, modelOf } from "../build/fixture.ts";
import { hasIptables, realSave, rulesOf, VARIANTS } from "./real-iptables.ts";

const rulesIn = (save: string, table: string, chain: string): string[] =>
  (rulesOf(save)[table] ?? [])
    .filter((line) => line.startsWith(`-A ${chain} `))
    .map((line) => line.slice(4 + chain.length));

const targets = (rules: readonly string[]): string[] =>
  rules.map((rule) => rule.match(/(?:-i|-o) \S+ .*|-j .*|-s .*/)?.[0].replace(/.*-j /, "") ?? "");

describe("the order in which a node's programs leave their rules", () => {
  const flannel = '  flannel: {Network: 192.168.0.0/16, ipMasq: true}\n  kubeProxy: {version: "VERSION"}';
  const saved = (version: string) => {
    const yaml = clusterYaml("udp").replace(/ {2}flannel: .*/, flannel.replace("VERSION", version));
    const model = modelOf(yaml);
    Object.assign(model.flannel, { forwardRules: true });
    return buildNetwork(model).node("node2").netns.netfilter.save();
  };

  it.each([
    ["nat", "PREROUTING", ["KUBE-SERVICES", "DOCKER"]],
    ["nat", "OUTPUT", ["KUBE-SERVICES", "DOCKER"]],
    [
      "nat",
      "POSTROUTING",
      ["KUBE-POSTROUTING", "MASQUERADE", "RETURN", "MASQUERADE", "RETURN", "MASQUERADE", "MASQUERADE"],
    ],
    ["filter", "INPUT", ["KUBE-PROXY-FIREWALL", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL"]],
    ["filter", "OUTPUT", ["KUBE-PROXY-FIREWALL", "KUBE-SERVICES", "KUBE-FIREWALL"]],
    [
      "filter",
      "FORWARD",
      [
        "KUBE-PROXY-FIREWALL",
        "KUBE-FORWARD",
        "KUBE-SERVICES",
        "KUBE-EXTERNAL-SERVICES",
        "DOCKER-ISOLATION",
        "DOCKER",
        "ACCEPT",
        "ACCEPT",
        "ACCEPT",
        "ACCEPT",
        "ACCEPT",
      ],
    ],
  ])("1.32: %s %s", (table, chain, expected) => {
    expect(targets(rulesIn(saved("1.32"), table, chain))).toEqual(expected);
  });

  it.each([
    ["nat", "PREROUTING", ["KUBE-SERVICES", "DOCKER"]],
    ["filter", "INPUT", ["KUBE-SERVICES", "KUBE-FIREWALL"]],
    ["filter", "OUTPUT", ["KUBE-SERVICES", "KUBE-FIREWALL"]],
    ["filter", "FORWARD", ["DOCKER-ISOLATION", "DOCKER", "ACCEPT", "ACCEPT", "ACCEPT", "ACCEPT", "ACCEPT"]],
  ])("1.7: %s %s", (table, chain, expected) => {
    expect(targets(rulesIn(saved("1.7"), table, chain))).toEqual(expected);
  });

  it("flannel's masquerading comes after docker's and before what pods publish", () => {
    expect(rulesIn(saved("1.32"), "nat", "POSTROUTING").slice(1)).toEqual([
      "-s 192.168.96.0/24 ! -o docker0 -j MASQUERADE",
      "-s 192.168.0.0/16 -d 192.168.0.0/16 -j RETURN",
      "-s 192.168.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE",
      "! -s 192.168.0.0/16 -d 192.168.96.0/24 -j RETURN",
      "! -s 192.168.0.0/16 -d 192.168.0.0/16 -j MASQUERADE",
      "-s 192.168.96.2/32 -d 192.168.96.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
    ]);
  });
});

describe("a second sync", () => {
  it.each(["1.32", "1.7"] as const)("changes nothing, with %s's kube-proxy", (version) => {
    const model = modelOf(clusterYaml("udp", `  kubeProxy: {version: "${version}"}`));
    const cluster = buildNetwork(model);
    const save = () => cluster.node("node2").netns.netfilter.save();
    const before = save();
    cluster.update(model);
    expect(save()).toBe(before);
  });
});

describe.skipIf(!hasIptables)("the real iptables", () => {
  const topologies = ["seed", "two-workers", "vxlan", "host-gw"];
  it.each(VARIANTS.flatMap((variant) => topologies.map((name) => [variant, name] as const)))(
    "%s takes every node's rules of %s and gives them back",
    (variant, name) => {
      const file = `topologies/${name}.yaml`;
      const { model } = loadTopology([{ file, text: readFileSync(file, "utf8") }]);
      for (const { netns } of buildNetwork(model).nodes.values()) {
        const save = netns.netfilter.save();
        expect(rulesOf(realSave(variant, [save]))).toEqual(rulesOf(save));
      }
    },
  );
});
