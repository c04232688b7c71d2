import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { exportNode } from "../../../src/topology/export/export.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../../../src/topology/load/source.ts";

const probe =
  "iptables-nft-restore --version && iptables-legacy-restore --version && nfacct help && ipset --version";
const available = spawnSync("unshare", ["-n", "sh", "-c", probe]).status === 0;
if (!available)
  console.warn("skipped: unshare -n, iptables-nft, iptables-legacy, nfacct or ipset is missing");

/** What the tool says to a text in a namespace of its own: nothing when it takes it. */
function complaint(tool: string, text: string): string {
  const script = `for c in ct_state_invalid_dropped_pkts localhost_nps_accepted_pkts; do nfacct add $c; done; ${tool}`;
  const { status, stderr } = spawnSync("unshare", ["-n", "sh", "-c", script], {
    input: text,
    encoding: "utf8",
  });
  return status === 0 ? "" : stderr;
}

describe.skipIf(!available)("the real iptables-restore takes what is exported", () => {
  const cases = ["two-workers", "seed", "vxlan", "host-gw"].flatMap((name) => {
    const cluster = buildNetwork(loadTopology(readSources([builtInTopology(name)])).model);
    return [...cluster.nodes.keys()].map((node) => ({ name, node, cluster }));
  });

  it.each(cases)("$name $node", ({ node, cluster }) => {
    for (const variant of ["nft", "legacy"]) {
      expect(complaint(`iptables-${variant}-restore`, exportNode(cluster, node, "iptables-save"))).toBe("");
      const kubeProxy = exportNode(cluster, node, "kube-proxy");
      expect(complaint(`iptables-${variant}-restore -w 5 --noflush --counters`, kubeProxy)).toBe("");
    }
  });
});
