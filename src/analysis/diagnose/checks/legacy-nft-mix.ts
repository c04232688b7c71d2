import { crossNodeFlows, flowToPod, podRef } from "../cast.ts";
import type { Check } from "../check.ts";
import { editNode } from "../edit.ts";
import { eventsOf, observation, tryFlow } from "../try-flow.ts";

/** Rules of iptables-legacy and of nf_tables are both in force, and each tool shows its own alone. */
export const legacyNftMix: Check = {
  id: "legacy-nft-mix",
  severity: "error",
  symptom: "packets are dropped although `iptables -L` shows rules that accept them",
  *suspects(model) {
    for (const node of model.nodes) {
      if (node.iptablesLegacy === undefined) continue;
      for (const { from, to } of crossNodeFlows(model, node)) {
        const request = flowToPod(podRef(from), to);
        yield {
          subject: { kind: "Node", name: node.name, setting: ["iptablesLegacy"] },
          message: `iptables-legacy on ${node.name} drops what the rules of iptables-nft accept: both are asked`,
          mend: `iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F    # on ${node.name}; update-alternatives --config iptables: one back end for all`,
          observe(current) {
            const trace = tryFlow(current, request);
            const byLegacy = eventsOf(trace, "drop").some(
              ({ netns, table }) => netns === node.name && table?.startsWith("legacy ") === true,
            );
            return observation(trace, byLegacy);
          },
          mended: (current) => editNode(current, node.name, ({ iptablesLegacy: _, ...one }) => one),
        };
      }
    }
  },
};
