import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeKubeProxyConfiguration } from "../../../../src/cluster/kube-proxy/configuration.ts";
import { generateRestore as generateRestore17 } from "../../../../src/cluster/kube-proxy/v1.7/restore.ts";
import { JUMPS as JUMPS_17 } from "../../../../src/cluster/kube-proxy/v1.7/setup.ts";
import { SeededChooser } from "../../../../src/linux/chooser.ts";
import type { RouteType } from "../../../../src/linux/netfilter/context.ts";
import type { HookName } from "../../../../src/linux/netfilter/hooks.ts";
import { writeRuleSet } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import type { RuleSet } from "../../../../src/linux/netfilter/rules/rule-set.ts";
import { RuleSetState } from "../../../../src/linux/netfilter/rules/state.ts";
import { WALK_ACCEPT, WALK_NAT } from "../../../../src/linux/netfilter/rules/verdict.ts";
import { type WalkTable, walkTable, walkTableNaively } from "../../../../src/linux/netfilter/rules/walk.ts";
import type { Skb } from "../../../../src/linux/skb.ts";
import { formatIpv4 } from "../../../../src/packet/address.ts";
import { hookState, makeSkb, TestHost } from "../../../linux/netfilter/rules/harness.ts";
import { NODE } from "../cluster.ts";
import {
  type ArbitraryCluster,
  type ArbitraryPacket,
  arbitraryCluster,
  arbitraryPackets,
} from "./arbitraries.ts";
import { jumpsText, rulesFor } from "./node.ts";

/** node1 with its addresses. */
class NodeHost extends TestHost {
  override addressType(address: number): RouteType {
    return address >>> 24 === 127 || NODE.interfaceAddresses.includes(formatIpv4(address)) ? 2 : 1;
  }
}

/** A node's rules, walked in one of the two ways, from the first packet to the last. */
class Walker {
  private readonly host = new NodeHost(new SeededChooser(11));
  private readonly state: RuleSetState;
  private readonly walk: WalkTable;

  constructor(rules: RuleSet, walk: WalkTable) {
    this.state = new RuleSetState(rules);
    this.walk = walk;
  }

  /** Takes a packet through nat and filter as a node would, and tells everything that can be seen. */
  send(words: ArbitraryPacket): readonly unknown[] {
    this.host.clock.nowUs += words.pause * 1_000_000;
    const { src, dst, in: input, mark, ctinfo, pause: _, ...packet } = words;
    const fields = { src, dst, mark, packet, ...(ctinfo === null ? {} : { ctinfo, ct: {} }) };
    const skb = makeSkb(fields);
    const seen: unknown[] = [];
    const at = (table: string, hook: HookName): boolean => this.at(table, hook, skb, words, seen);
    const local = (): boolean => this.host.addressType(skb.packet.dst) === 2;
    const asksNat = ctinfo === 2;
    const first = input === null ? "OUTPUT" : "PREROUTING";
    if (asksNat && !at("nat", first)) return seen;
    const second = input === null ? "OUTPUT" : local() ? "INPUT" : "FORWARD";
    if (at("filter", second) && asksNat && second !== "INPUT") at("nat", "POSTROUTING");
    return seen;
  }

  private at(
    table: string,
    hook: HookName,
    skb: Skb,
    { in: input }: ArbitraryPacket,
    seen: unknown[],
  ): boolean {
    const { state } = this;
    const matched: string[] = [];
    const place = hookState(hook, {
      ...(input === null || hook === "OUTPUT" || hook === "POSTROUTING" ? {} : { in: input }),
      ...(hook === "PREROUTING" || hook === "INPUT" ? {} : { out: "eth0" }),
    });
    const verdict = this.walk(state, state.table(table)!, place, skb, this.host, (chain, n, _rule, text) => {
      matched.push(`${chain.name} ${n} ${text}`);
    });
    const { natTarget, reject, rulesWalked, decidedChain, decidedRule } = state;
    if (natTarget?.type === "DNAT") {
      skb.packet.dst = natTarget.addresses?.min ?? skb.packet.dst;
      skb.packet.dport = natTarget.ports?.min ?? skb.packet.dport;
    }
    const { mark, packet } = skb;
    seen.push({ table, hook, verdict, matched, natTarget, reject, rulesWalked });
    seen.push({ decidedChain: decidedChain?.name, decidedRule, mark, dst: packet.dst, dport: packet.dport });
    return verdict === WALK_ACCEPT || verdict === WALK_NAT;
  }

  counters(): string {
    return writeRuleSet(this.state.ruleSet, this.state, { counters: true });
  }
}

function rulesFor17({ services, slices, config }: ArbitraryCluster): RuleSet {
  const text = generateRestore17({
    services,
    endpointSlices: slices,
    node: NODE,
    config: completeKubeProxyConfiguration(config),
  });
  const drop = "*nat\n:KUBE-MARK-DROP - [0:0]\n-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000\nCOMMIT\n";
  const kubelet = applyRestore(null, drop, { noflush: false });
  return applyRestore(applyRestore(kubelet, jumpsText(JUMPS_17), { noflush: true }), text, { noflush: true });
}

const PACKETS = 120;
const RUNS = 120;

describe("kube-proxy's rules for any Services and EndpointSlices", () => {
  it.each([
    ["1.32", rulesFor],
    ["1.7", rulesFor17],
  ] as const)("%s: the compiled walk and the naive one agree on every packet", (_version, rulesOf) => {
    let packets = 0;
    let translated = 0;
    let ended = 0;
    const cases = arbitraryCluster.chain((cluster) =>
      fc.tuple(fc.constant(cluster), arbitraryPackets(cluster.targets, PACKETS)),
    );
    fc.assert(
      fc.property(cases, ([cluster, sent]) => {
        const rules = rulesOf(cluster);
        const compiled = new Walker(rules, walkTable);
        const naive = new Walker(rules, walkTableNaively);
        for (const packet of sent) {
          const seen = compiled.send(packet);
          expect(seen).toEqual(naive.send(packet));
          packets++;
          const text = JSON.stringify(seen);
          if (text.includes('"type":"DNAT"')) translated++;
          if (text.includes('"verdict":0') || text.includes('"verdict":3')) ended++;
        }
        expect(compiled.counters()).toBe(naive.counters());
      }),
      { numRuns: RUNS },
    );
    console.log(`${packets} packets: ${translated} translated, ${ended} dropped or rejected`);
    expect(packets).toBeGreaterThanOrEqual(10_000);
    // the packets are worth sending
    expect(translated).toBeGreaterThan(packets / 10);
    expect(ended).toBeGreaterThan(packets / 200);
  });
});
