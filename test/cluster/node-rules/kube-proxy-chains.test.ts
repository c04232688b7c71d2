import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeKubeProxyConfiguration } from "../../../src/cluster/kube-proxy/configuration.ts";
import { proxier } from "../../../src/cluster/kube-proxy/proxier.ts";
import { proxyState } from "../../../src/cluster/kube-proxy/proxy-state.ts";
import { formatRestore, generateRuleSet } from "../../../src/cluster/kube-proxy/restore.ts";
import { sharedServicePortRules } from "../../../src/cluster/kube-proxy/shared-rules.ts";
import { SharedRestore } from "../../../src/cluster/node-rules/shared-restore.ts";
import { writeRuleSet } from "../../../src/linux/netfilter/iptables-save/write.ts";
import { LayeredChains } from "../../../src/linux/netfilter/rules/layered-chains.ts";
import { applyRestore } from "../../../src/linux/netfilter/rules/restore.ts";
import type { RuleSet } from "../../../src/linux/netfilter/rules/rule-set.ts";
import { cluster, node, zone } from "../kube-proxy/arbitrary.ts";
import { NODE } from "../kube-proxy/cluster.ts";

const config = completeKubeProxyConfiguration({ clusterCIDR: "192.168.0.0/16" });

/** Somebody else's rules, and kube-proxy's jumps. */
const BEFORE = applyRestore(
  null,
  `*filter
:DOCKER - [0:0]
:KUBE-FORWARD - [0:0]
-A FORWARD -j KUBE-FORWARD
-A DOCKER -j RETURN
COMMIT
*nat
:KUBE-SERVICES - [0:0]
-A PREROUTING -j KUBE-SERVICES
COMMIT
`,
  { noflush: false },
);

const AFTERWARDS = `*nat
-A KUBE-SERVICES -j RETURN
-I PREROUTING -s 192.0.2.1/32 -j ACCEPT
COMMIT
`;

const saved = (rules: RuleSet): string => writeRuleSet(rules, null, { counters: false });

const nodes = fc.array(fc.record({ name: node, zone, octet: fc.integer({ min: 1, max: 254 }) }), {
  minLength: 1,
  maxLength: 4,
});

describe("kube-proxy's chains, made when they are asked for", () => {
  it("are those of its restore, on every node, after a change too, and with others' rules put in", () => {
    fc.assert(
      fc.property(cluster, cluster, nodes, (first, second, some) => {
        const restore = new SharedRestore();
        const rules = new Map<string, { lazy: RuleSet; eager: RuleSet }>();
        for (const objects of [first, second]) {
          const state = proxyState(objects.services, objects.endpointSlices);
          const shared = sharedServicePortRules(state);
          for (const { name, zone, octet } of some) {
            const labels = { "topology.kubernetes.io/zone": zone };
            const facts = proxier(config, { ...NODE, name, labels, nodeIP: `10.1.96.${octet}` });
            const before = rules.get(name) ?? { lazy: BEFORE, eager: BEFORE };
            const text = formatRestore(generateRuleSet(state, facts));
            const eager = withoutStale(applyRestore(before.eager, text, { noflush: true }), text);
            const lazy = restore.applySources(before.lazy, restore.kubeProxyChains(shared).of(facts));
            expect(saved(lazy)).toBe(saved(eager));
            const [one, other] = [lazy, eager].map((set) => applyRestore(set, AFTERWARDS, { noflush: true }));
            expect(one!.tables.some(({ chains }) => chains instanceof LayeredChains)).toBe(true);
            expect(saved(one!)).toBe(saved(other!));
            rules.set(name, { lazy, eager });
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("are the very same objects on nodes where they are equal", () => {
    const web = { metadata: { name: "web" }, spec: { clusterIP: "10.0.0.1", ports: [{ port: 80 }] } };
    const restore = new SharedRestore();
    const chains = restore.kubeProxyChains(sharedServicePortRules(proxyState([web], [])));
    const [one, other] = ["node1", "node2"].map((name) => chains.of(proxier(config, { ...NODE, name })));
    for (const name of one!.filter.names()) expect(other!.filter.get(name)).toBe(one!.filter.get(name));
    expect(one!.filter.get("KUBE-SERVICES")?.rules).toHaveLength(1);
  });

  it("that somebody else still jumps to cannot go", () => {
    const [web] = [{ metadata: { name: "web" }, spec: { clusterIP: "10.0.0.1", ports: [{ port: 80 }] } }];
    const slice = {
      metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "", port: 80 }],
      endpoints: [{ addresses: ["192.168.96.2"] }],
    };
    const restore = new SharedRestore();
    const facts = proxier(config, NODE);
    const sourcesOf = (slices: (typeof slice)[]) =>
      restore.kubeProxyChains(sharedServicePortRules(proxyState([web!], slices))).of(facts);
    const before = restore.applySources(BEFORE, sourcesOf([slice]));
    const chain = [...before.tables[1]!.chains.keys()].find((name) => name.startsWith("KUBE-SVC-"))!;
    const used = applyRestore(before, `*nat\n-A PREROUTING -j ${chain}\nCOMMIT\n`, { noflush: true });
    expect(() => restore.applySources(used, sourcesOf([]))).toThrow(
      `chain "${chain}" is still used by "PREROUTING"`,
    );
  });
});

/** kube-proxy deletes the chains of Services and endpoints that its restore does not name. */
function withoutStale(rules: RuleSet, text: string): RuleSet {
  const nat = rules.tables.find(({ name }) => name === "nat")!;
  const stale = [...nat.chains.keys()].filter(
    (name) => /^KUBE-(SVC|SVL|SEP|FW|EXT)-/.test(name) && !text.includes(`:${name} `),
  );
  const lines = [...stale.map((name) => `-F ${name}`), ...stale.map((name) => `-X ${name}`)];
  return applyRestore(rules, `*nat\n${lines.join("\n")}\nCOMMIT\n`, { noflush: true });
}
