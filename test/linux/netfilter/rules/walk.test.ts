import { describe, expect, it } from "vitest";
import { writeRuleSet } from "../../../../src/linux/netfilter/iptables-save/write.ts";
import { applyRestore } from "../../../../src/linux/netfilter/rules/restore.ts";
import { RuleSetState } from "../../../../src/linux/netfilter/rules/state.ts";
import { walkTable, walkTableNaively } from "../../../../src/linux/netfilter/rules/walk.ts";
import { hookState, makeSkb, RuleBench, TestHost } from "./harness.ts";

/** Rules that never match our packet, so that a chain is long enough for an index. */
const padding = (chain: string, n = 12): string[] =>
  Array.from({ length: n }, (_, i) => `-A ${chain} -d 172.16.0.${i + 1} -p tcp --dport ${1000 + i} -j DROP`);

interface Case {
  readonly name: string;
  readonly rules: readonly string[];
  readonly matched: readonly string[];
  readonly verdict: number;
  readonly walked: number;
}

const CASES: readonly Case[] = [
  {
    name: "an empty chain: the policy",
    rules: [],
    matched: ["FORWARD policy accept"],
    verdict: 1,
    walked: 0,
  },
  {
    name: "the policy DROP",
    rules: [":FORWARD DROP [0:0]"],
    matched: ["FORWARD policy drop"],
    verdict: 0,
    walked: 0,
  },
  {
    name: "the first match wins",
    rules: ["-A FORWARD -s 1.1.1.1 -j DROP", "-A FORWARD -j ACCEPT", "-A FORWARD -j DROP"],
    matched: ["FORWARD 2 accept"],
    verdict: 1,
    walked: 2,
  },
  {
    name: "a rule without target counts and goes on",
    rules: ["-A FORWARD -m comment --comment x", "-A FORWARD -j DROP"],
    matched: ["FORWARD 1 continue", "FORWARD 2 drop"],
    verdict: 0,
    walked: 2,
  },
  {
    name: "the end of a user chain goes back behind the jump",
    rules: [":A - [0:0]", "-A FORWARD -j A", "-A FORWARD -j DROP", "-A A -s 1.1.1.1 -j ACCEPT"],
    matched: ["FORWARD 1 jump A", "FORWARD 2 drop"],
    verdict: 0,
    walked: 3,
  },
  {
    name: "RETURN goes back, in a built-in chain to the policy",
    rules: [
      ":A - [0:0]",
      "-A FORWARD -j A",
      "-A FORWARD -j RETURN",
      "-A FORWARD -j DROP",
      "-A A -j RETURN",
      "-A A -j DROP",
    ],
    matched: ["FORWARD 1 jump A", "A 1 return", "FORWARD 2 return", "FORWARD policy accept"],
    verdict: 1,
    walked: 3,
  },
  {
    name: "goto does not come back to the chain it left, but to that chain's caller",
    rules: [
      ":A - [0:0]",
      ":B - [0:0]",
      "-A FORWARD -j A",
      "-A FORWARD -j DROP",
      "-A A -g B",
      "-A A -j ACCEPT",
      "-A B -j RETURN",
    ],
    matched: ["FORWARD 1 jump A", "A 1 goto B", "B 1 return", "FORWARD 2 drop"],
    verdict: 0,
    walked: 4,
  },
  {
    name: "goto from a built-in chain ends in the policy",
    rules: [":A - [0:0]", "-A FORWARD -g A", "-A FORWARD -j DROP"],
    matched: ["FORWARD 1 goto A", "FORWARD policy accept"],
    verdict: 1,
    walked: 1,
  },
  {
    name: "a mark is seen by the rules behind it",
    rules: ["-A FORWARD -j MARK --set-mark 1", "-A FORWARD -m mark --mark 1 -j DROP"],
    matched: ["FORWARD 1 continue", "FORWARD 2 drop"],
    verdict: 0,
    walked: 2,
  },
  {
    name: "a long chain, walked to its end and left behind",
    rules: [":A - [0:0]", "-A FORWARD -j A", ...padding("A"), "-A FORWARD -j DROP"],
    matched: ["FORWARD 1 jump A", "FORWARD 2 drop"],
    verdict: 0,
    walked: 14,
  },
  {
    name: "rules of every kind of a long chain come in their order",
    rules: [
      ":A - [0:0]",
      ...padding("FORWARD", 9),
      "-A FORWARD -s 192.168.1.2",
      "-A FORWARD -p tcp --dport 80",
      "-A FORWARD -d 10.0.0.2",
      "-A FORWARD -m mark --mark 0",
      "-A FORWARD -d 10.0.0.2 -p tcp --dport 80 -j A",
      "-A FORWARD -d 10.0.0.2",
      "-A FORWARD -p tcp --dport 80 -j DROP",
    ],
    matched: [
      "FORWARD 10 continue",
      "FORWARD 11 continue",
      "FORWARD 12 continue",
      "FORWARD 13 continue",
      "FORWARD 14 jump A",
      "FORWARD 15 continue",
      "FORWARD 16 drop",
    ],
    verdict: 0,
    walked: 16,
  },
];

describe.each([
  ["walked", walkTableNaively],
  ["compiled", walkTable],
])("%s", (_name, walk) => {
  it.each(CASES)("$name", ({ rules, matched, verdict, walked }) => {
    const ordered = [...rules.filter((r) => r.startsWith(":")), ...rules.filter((r) => !r.startsWith(":"))];
    const bench = new RuleBench("filter", ordered, new TestHost(), walk);
    expect(bench.send("FORWARD", makeSkb())).toEqual({ verdict, matched });
    expect(bench.state.rulesWalked).toBe(walked);
  });

  it("drops a fragment that would overwrite the TCP flags, at the rule that sees it", () => {
    const bench = new RuleBench(
      "filter",
      [...padding("FORWARD"), "-A FORWARD -p tcp --dport 80 -j ACCEPT"],
      new TestHost(),
      walk,
    );
    const { verdict, matched } = bench.send(
      "FORWARD",
      makeSkb({ dst: "172.16.0.3", packet: { fragOffset: 8 } }),
    );
    expect([verdict, matched, bench.state.rulesWalked]).toEqual([0, [], 3]);
    expect(bench.state.decidedRule).toBe(3);
  });

  it("accepts at a hook where the table has no chain", () => {
    const bench = new RuleBench("filter", [], new TestHost(), walk);
    expect(bench.send("PREROUTING", makeSkb())).toEqual({ verdict: 1, matched: [] });
  });
});

describe("counters", () => {
  it("count packets and bytes of rules and policies, and are printed with -c", () => {
    const bench = new RuleBench("filter", ["-A FORWARD -p tcp", "-A FORWARD -s 1.1.1.1 -j DROP"]);
    bench.send("FORWARD", makeSkb());
    bench.send("FORWARD", makeSkb({ src: "1.1.1.1", packet: { payloadLength: 1000 } }));
    expect(writeRuleSet(bench.state.ruleSet, bench.state, { counters: true })).toBe(
      [
        "*filter",
        ":INPUT ACCEPT [0:0]",
        ":FORWARD ACCEPT [1:40]",
        ":OUTPUT ACCEPT [0:0]",
        "[2:1080] -A FORWARD -p tcp",
        "[1:1040] -A FORWARD -s 1.1.1.1/32 -j DROP",
        "COMMIT",
        "",
      ].join("\n"),
    );
  });
});

describe("a rule set is changed while packets pass", () => {
  const restore = (state: RuleSetState, text: string): void =>
    state.load(applyRestore(state.ruleSet, `*filter\n${text}\nCOMMIT\n`, { noflush: true }));
  const count = (state: RuleSetState, chain: string, n: number): number =>
    state.counters("filter", chain, n)[0];
  const send = (state: RuleSetState): number =>
    walkTable(state, state.table("filter")!, hookState("FORWARD", {}), makeSkb(), new TestHost(), null);

  it("keeps the counters of rules that stay, and forgets those of a chain that is declared anew", () => {
    const state = new RuleSetState();
    restore(
      state,
      ":A - [0:0]\n-A FORWARD -j A\n-A A -p tcp\n-A A -m statistic --mode nth --every 2 --packet 0 -j DROP",
    );
    expect([send(state), send(state)]).toEqual([0, 1]);
    restore(state, "-I A 1 -s 1.1.1.1 -j DROP\n-A FORWARD -p tcp");
    expect([1, 2, 3].map((n) => count(state, "A", n))).toEqual([0, 2, 1]);
    expect([1, 2].map((n) => count(state, "FORWARD", n))).toEqual([2, 0]);
    expect(send(state)).toBe(0);
    restore(state, ":A - [0:0]\n-A A -p tcp");
    expect(count(state, "A", 1)).toBe(0);
    expect(send(state)).toBe(1);
    expect([count(state, "A", 1), count(state, "FORWARD", 1)]).toEqual([1, 4]);
  });

  it("leaves tables alone that are not named, and shares unchanged chains", () => {
    const before = applyRestore(
      null,
      "*nat\n-A OUTPUT -j ACCEPT\nCOMMIT\n*filter\n:A - [0:0]\n-A A -j DROP\nCOMMIT\n",
      { noflush: false },
    );
    const after = applyRestore(before, "*filter\n-A INPUT -j A\nCOMMIT\n", { noflush: true });
    expect(after.tables.map((t) => t.name)).toEqual(["nat", "filter"]);
    expect(after.tables[0]).toBe(before.tables[0]);
    expect(after.tables[1]!.chains.get("A")).toBe(before.tables[1]!.chains.get("A"));
    const flushed = applyRestore(after, "*filter\nCOMMIT\n", { noflush: false });
    expect([...flushed.tables[1]!.chains.keys()]).toEqual(["INPUT", "FORWARD", "OUTPUT"]);
  });

  it("takes every command that iptables-restore takes", () => {
    const text = [
      "*filter",
      "-N A",
      "-A A -s 1.1.1.1 -j DROP",
      "-I A -s 2.2.2.2 -j DROP",
      "-I A 2 -s 3.3.3.3 -j DROP",
      "-R A 3 -s 4.4.4.4 -j DROP",
      "-D A 1",
      "-D A -s 4.4.4.4 -j DROP",
      "-E A B",
      "-P INPUT DROP",
      "-A INPUT -j B",
      "-N C",
      "-X C",
      "-t filter -A FORWARD -s 1.1.1.1,2.2.2.2 -j B",
      "-F FORWARD",
      "COMMIT",
      "",
    ].join("\n");
    expect(writeRuleSet(applyRestore(null, text, { noflush: true }), null, { counters: false })).toBe(
      "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:B - [0:0]\n-A INPUT -j B\n-A B -s 3.3.3.3/32 -j DROP\nCOMMIT\n",
    );
  });

  it("refuses a rule that no packet can be judged by, and stays as it was", () => {
    const state = new RuleSetState();
    expect(() => restore(state, '-A INPUT -m bpf --bytecode "1,6 0 0 0"')).toThrow(
      'line 2: unknown match "bpf"',
    );
    expect(state.ruleSet.tables).toEqual([]);
  });

  it("keeps a recent list as long as a rule names it", () => {
    const state = new RuleSetState();
    restore(state, "-A FORWARD -m recent --name L --set");
    send(state);
    const entries = (): number => state.recentTable("L", 0, 0xffffffff).entries;
    restore(state, "-I FORWARD 1 -m recent --name L --rcheck -j DROP\n-D FORWARD 2");
    expect(entries()).toBe(1);
    restore(state, "-F FORWARD");
    expect(entries()).toBe(0);
  });
});
