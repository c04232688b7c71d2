import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { SeededChooser } from "../../linux/chooser.ts";
import type { Hook } from "../../linux/netfilter/hooks.ts";
import { ruleHost } from "../../linux/netfilter/rule-host.ts";
import type { RuleHost } from "../../linux/netfilter/rules/host.ts";
import { RuleSetState } from "../../linux/netfilter/rules/state.ts";
import { walkTable, walkTableNaively } from "../../linux/netfilter/rules/walk.ts";
import type { Netns } from "../../linux/netns.ts";
import { Skb } from "../../linux/skb.ts";
import type { Packet } from "../../packet/packet.ts";
import { summarize } from "../../packet/summary.ts";
import { LawBroken } from "./law.ts";

/**
 * Looking rules up by index comes to the same as walking them: verdict, deciding rule, translation and the number of
 * rules walked, at PREROUTING, FORWARD and OUTPUT of every node.
 *
 * @throws LawBroken with the node, table and packet where they differ.
 */
export function compiledEqualsWalked(cluster: SimulatedCluster, packets: readonly Packet[], seed = 1): void {
  for (const [name, { netns }] of cluster.nodes) {
    const { ruleSet } = netns.netfilter;
    for (const { name: table } of ruleSet.tables)
      for (const packet of packets)
        for (const hook of [0, 2, 3] as const) {
          const walked = outcome(netns, table, hook, packet, seed, walkTableNaively);
          const compiled = outcome(netns, table, hook, packet, seed, walkTable);
          if (walked !== compiled)
            throw new LawBroken(
              `${name}: ${table}: ${summarize(packet)}: walked ${walked}, compiled ${compiled}`,
            );
        }
  }
}

function outcome(
  netns: Netns,
  table: string,
  hook: Hook,
  packet: Packet,
  seed: number,
  walk: typeof walkTable,
): string {
  const state = new RuleSetState(netns.netfilter.ruleSet);
  const skb = new Skb(packet.clone());
  const chooser = new SeededChooser(seed);
  const host: RuleHost = Object.create(ruleHost(netns), {
    chooser: { value: chooser },
    tracksConnections: { value: true },
  });
  const at = { hook, in: netns.loopback, out: netns.loopback };
  const verdict = walk(state, state.table(table)!, at, skb, host, null);
  return JSON.stringify([
    verdict,
    state.decidedChain?.name,
    state.decidedRule,
    state.natTarget,
    state.reject,
    state.rulesWalked,
    skb.mark,
  ]);
}
