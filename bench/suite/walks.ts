import type { WalkTable } from "../../src/linux/netfilter/rules/walk.ts";
import type { Skb as SkbType } from "../../src/linux/skb.ts";
import { benchCluster, Packet, ruleHost, Skb, walkTable, walkTableNaively } from "./built.ts";
import type { Group, Prepared } from "./case.ts";

const SERVICES = 10_000;
const PACKETS = 200;
const IPPROTO_UDP = 17;

/** Packets to Services all over the rule set through the nat table's PREROUTING chain, by one of the two walks. */
function prepare(walk: WalkTable, samples: number): Prepared {
  const { cluster, client, addresses } = benchCluster({
    services: SERVICES,
    endpoints: 1,
    mode: "iptables",
    scheduler: "rr",
    placement: "same-node",
    seed: 1,
  });
  const { netns } = cluster.node(client.name.split("/")[0]!);
  const { state } = netns.netfilter;
  const table = state.table("nat")!;
  const host = ruleHost(netns);
  const at = { hook: 0 as const, in: netns.device("docker0"), out: null };
  const packets = Array.from({ length: PACKETS }, (_, i) =>
    packetTo(addresses[(i * 7919) % addresses.length]!, i),
  );
  for (const skb of packets) {
    const fast = walkTable(state, table, at, skb, host, null);
    const rules = state.rulesWalked;
    const slow = walkTableNaively(state, table, at, skb, host, null);
    if (fast !== slow || rules !== state.rulesWalked) throw new Error("the two walks disagree");
  }
  return {
    operations: PACKETS,
    samples,
    run() {
      for (const skb of packets) walk(state, table, at, skb, host, null);
    },
  };
}

function packetTo(destination: number, i: number): SkbType {
  const packet = new Packet();
  packet.protocol = IPPROTO_UDP;
  packet.src = 0x0a000402;
  packet.dst = destination;
  packet.sport = 20000 + i;
  packet.dport = 80;
  return new Skb(packet);
}

const COMPILED = "nat PREROUTING of 10,000 Services, compiled";
const RULE_BY_RULE = "nat PREROUTING of 10,000 Services, rule by rule";

export const walkGroup: Group = {
  cases: [
    { name: COMPILED, unit: "walk", prepare: () => prepare(walkTable, 500) },
    { name: RULE_BY_RULE, unit: "walk", prepare: () => prepare(walkTableNaively, 20) },
  ],
  rounds: 5,
  comparisons: [
    {
      name: "10,000 Services: rule by rule by compiled",
      of: RULE_BY_RULE,
      by: COMPILED,
      target: { atLeast: 100 },
    },
  ],
};
