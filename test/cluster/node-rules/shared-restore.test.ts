import { describe, expect, it } from "vitest";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { SharedRestore } from "../../../src/cluster/node-rules/shared-restore.ts";
import type { RuleSet } from "../../../src/linux/netfilter/rules/rule-set.ts";
import { Network } from "../../../src/linux/network.ts";
import { clusterYaml, modelOf } from "../build/fixture.ts";

const BEFORE = ["-A PREROUTING -i eth0 -j ACCEPT\n-A KUBE-SERVICES -j RETURN", "-A PREROUTING -j RETURN"].map(
  (rules) => `*nat\n:KUBE-SERVICES - [0:0]\n${rules}\nCOMMIT\n*filter\nCOMMIT\n`,
);

const TEXT = `*filter
:KUBE-FORWARD - [0:0]
-A KUBE-FORWARD -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-A - [0:0]
-A KUBE-SERVICES -j KUBE-SVC-A
-A KUBE-SVC-A -j RETURN
COMMIT
`;

/** A namespace with the rules, as iptables-save prints it. */
function saved(rules: RuleSet): string {
  const netns = new Network().addNetns("node");
  netns.netfilter.install(rules);
  return netns.netfilter.save();
}

describe("a text for many nodes", () => {
  it("leaves each with what a restore of its own would", () => {
    const restore = new SharedRestore();
    const empty: RuleSet = { tables: [], unknown: [] };
    for (const before of BEFORE) {
      const rules = restore.apply(empty, before);
      expect(saved(restore.applyShared(rules, TEXT))).toBe(saved(restore.apply(rules, TEXT)));
    }
  });

  it("becomes the very same chains on all of them", () => {
    const cluster = buildNetwork(modelOf(clusterYaml("udp")));
    const [one, other] = ["node1", "node2"].map((name) => {
      const { tables } = cluster.node(name).netns.netfilter.ruleSet;
      return tables.find(({ name: table }) => table === "nat")?.chains;
    });
    const shared = [...(one ?? [])]
      .filter(([name, chain]) => other?.get(name) === chain)
      .map(([name]) => name);
    expect(shared).toEqual(expect.arrayContaining(["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-MARK-MASQ"]));
  });
});
