import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeKubeProxyConfiguration } from "../../../src/cluster/kube-proxy/configuration.ts";
import { nftProxier } from "../../../src/cluster/kube-proxy/nftables/proxier.ts";
import { fullNftSync, nftRules } from "../../../src/cluster/kube-proxy/nftables/sync.ts";
import { proxyState } from "../../../src/cluster/kube-proxy/proxy-state.ts";
import { SharedNftables } from "../../../src/cluster/node-rules/shared-nftables.ts";
import type { NftTable } from "../../../src/linux/netfilter/nftables/table.ts";
import { applyNft } from "../../../src/linux/netfilter/nftables/transaction.ts";
import { cluster, node, zone } from "../kube-proxy/arbitrary.ts";
import { NODE } from "../kube-proxy/cluster.ts";

const config = completeKubeProxyConfiguration({ clusterCIDR: "192.168.0.0/16" });

/** Everything in a table, in the order of the names. */
const contents = ({ chains, sets, maps }: NftTable): unknown =>
  [chains, sets, maps].map((all: ReadonlyMap<string, unknown>) =>
    [...all].sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const nodes = fc.array(fc.record({ name: node, zone, octet: fc.integer({ min: 1, max: 254 }) }), {
  minLength: 2,
  maxLength: 4,
});

describe("tables in nftables mode that nodes share most of", () => {
  it("are those that kube-proxy's own text makes", () => {
    let shared = 0;
    fc.assert(
      fc.property(cluster, nodes, (objects, some) => {
        const state = proxyState(objects.services, objects.endpointSlices);
        const tables = new SharedNftables(state);
        const first = new Set<unknown>();
        for (const { name, zone, octet } of some) {
          const labels = { "topology.kubernetes.io/zone": zone };
          const address = `10.1.96.${octet}`;
          const facts = nftProxier(config, {
            ...NODE,
            name,
            labels,
            nodeIP: address,
            interfaceAddresses: [address],
          });
          const table = tables.tableOf(facts);
          expect(contents(table)).toEqual(
            contents(applyNft(null, fullNftSync(nftRules(state, facts), facts))),
          );
          const chain = table.chains.get("services");
          if (first.has(chain)) shared++;
          first.add(chain);
        }
      }),
      { numRuns: 200 },
    );
    expect(shared).toBeGreaterThan(40);
  });
});
