import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeKubeProxyConfiguration } from "../../../src/cluster/kube-proxy/configuration.ts";
import { proxier } from "../../../src/cluster/kube-proxy/proxier.ts";
import { proxyState } from "../../../src/cluster/kube-proxy/proxy-state.ts";
import { formatRestore, generateRestore, generateRuleSet } from "../../../src/cluster/kube-proxy/restore.ts";
import { sharedServicePortRules } from "../../../src/cluster/kube-proxy/shared-rules.ts";
import { generateRestore as generateRestore17 } from "../../../src/cluster/kube-proxy/v1.7/restore.ts";
import { cluster, node, zone } from "./arbitrary.ts";
import { NODE } from "./cluster.ts";

const config = completeKubeProxyConfiguration({ clusterCIDR: "192.168.0.0/16" });
const BUILT_IN = new Set(["ACCEPT", "DROP", "REJECT", "RETURN", "MARK", "MASQUERADE", "DNAT"]);

/** Chains by table, and of every rule the table, chain and target. */
function parse(text: string) {
  return text.split("COMMIT\n").map((table) => {
    const lines = table.split("\n");
    const chains = lines
      .filter((line) => line.startsWith(":"))
      .map((line) => line.slice(1, line.indexOf(" ")));
    const rules = lines.filter((line) => line.startsWith("-A "));
    return {
      chains,
      filled: rules.map((rule) => rule.split(" ")[1] ?? ""),
      targets: rules.map((rule) => / -j (\S+)/.exec(rule)?.[1]).filter((target) => target !== undefined),
    };
  });
}

describe("for any Services and EndpointSlices", () => {
  it("every rule stands in a chain of the text and jumps to one, and every chain of a port is jumped to", () => {
    fc.assert(
      fc.property(cluster, (objects) => {
        for (const { chains, filled, targets } of parse(
          generateRestore({ ...objects, node: NODE, config }),
        )) {
          const known = new Set(chains);
          expect(known.size).toBe(chains.length);
          expect(filled.filter((chain) => !known.has(chain))).toEqual([]);
          expect(targets.filter((target) => !known.has(target) && !BUILT_IN.has(target))).toEqual([]);
          const jumpedTo = new Set(targets);
          const own = chains.filter((chain) => /^KUBE-(SVC|SVL|EXT|FW|SEP)-/.test(chain));
          expect(own.filter((chain) => !jumpedTo.has(chain) || !filled.includes(chain))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("so it is in 1.7, KUBE-MARK-DROP being kubelet's", () => {
    fc.assert(
      fc.property(cluster, (objects) => {
        for (const { chains, filled, targets } of parse(
          generateRestore17({ ...objects, node: NODE, config }),
        )) {
          const known = new Set([...chains, "KUBE-MARK-DROP"]);
          expect(filled.filter((chain) => !known.has(chain))).toEqual([]);
          expect(targets.filter((target) => !known.has(target) && !BUILT_IN.has(target))).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("the order in which kube-proxy is told of them does not matter", () => {
    const shuffled = cluster.chain((objects) =>
      fc.record({
        objects: fc.constant(objects),
        services: fc.shuffledSubarray(objects.services, { minLength: objects.services.length }),
        endpointSlices: fc.shuffledSubarray(objects.endpointSlices, {
          minLength: objects.endpointSlices.length,
        }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ objects, services, endpointSlices }) => {
        for (const generate of [generateRestore, generateRestore17]) {
          const told = generate({ services, endpointSlices, node: NODE, config });
          expect(told).toBe(generate({ ...objects, node: NODE, config }));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("nodes that share rules have the rules they would have alone", () => {
    const nodes = fc.array(
      fc.record({
        name: node,
        zone,
        octet: fc.integer({ min: 1, max: 254 }),
        subnet: fc.constantFrom("10.1.96", "10.2.0"),
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(cluster, nodes, (objects, some) => {
        const state = proxyState(objects.services, objects.endpointSlices);
        const shared = sharedServicePortRules(state);
        for (const { name, zone, octet, subnet } of some) {
          const labels = { "topology.kubernetes.io/zone": zone };
          const facts = proxier(config, { ...NODE, name, labels, nodeIP: `${subnet}.${octet}` });
          expect(formatRestore(generateRuleSet(state, facts, shared))).toBe(
            formatRestore(generateRuleSet(state, facts)),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("nodes share the very objects where their rules are equal", () => {
    const web = { metadata: { name: "web" }, spec: { clusterIP: "10.0.0.1", ports: [{ port: 80 }] } };
    const state = proxyState([web], []);
    const shared = sharedServicePortRules(state);
    const [first, second] = ["node1", "node2"].map((name) =>
      generateRuleSet(state, proxier(config, { ...NODE, name }), shared),
    );
    expect(second?.servicePorts[0]).toBe(first?.servicePorts[0]);
  });
});
