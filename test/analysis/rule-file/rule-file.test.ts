import { describe, expect, it } from "vitest";
import { explorePacket, judgePacket, readRuleFile } from "../../../src/analysis/rule-file/rule-file.ts";
import { SeededChooser } from "../../../src/linux/chooser.ts";
import { RuleSetError } from "../../../src/linux/netfilter/rules/error.ts";
import { RequestError } from "../../../src/trace/request.ts";
import { judge, matched, requestOf, rulesText, type Words } from "./requests.ts";

/** A rule in every chain of every table that only shows that the packet came by. */
const everywhere = {
  raw: ["-A PREROUTING", "-A OUTPUT"],
  mangle: ["-A PREROUTING", "-A INPUT", "-A FORWARD", "-A OUTPUT", "-A POSTROUTING"],
  // without a target of NAT nobody would track connections, and nat would not be asked
  nat: [
    "-A PREROUTING",
    "-A PREROUTING -s 1.1.1.1 -j DNAT --to-destination 1.1.1.1",
    "-A INPUT",
    "-A OUTPUT",
    "-A POSTROUTING",
    "-A POSTROUTING -j ACCEPT",
  ],
  filter: ["-A INPUT", "-A FORWARD", "-A OUTPUT"],
};

describe("the hooks that a packet comes to, and the tables at each, are those of the kernel", () => {
  it.each<[string, Words, string]>([
    [
      "received, for somebody else",
      {},
      "PREROUTING:raw,mangle,nat FORWARD:mangle,filter POSTROUTING:mangle,nat",
    ],
    [
      "received, for the machine",
      { to: "10.9.0.254:22" },
      "PREROUTING:raw,mangle,nat INPUT:mangle,filter,nat",
    ],
    [
      "made here",
      { from: "10.9.0.254:40000", in: null },
      "OUTPUT:raw,mangle,nat,filter POSTROUTING:mangle,nat",
    ],
    [
      "made here for the machine: by lo back in, translated once",
      { from: "10.9.0.254:40000", to: "10.9.0.254:22", in: null },
      "OUTPUT:raw,mangle,nat,filter POSTROUTING:mangle,nat PREROUTING:raw,mangle INPUT:mangle,filter",
    ],
    [
      "of a connection that stands: nat is not asked",
      { state: "ESTABLISHED" },
      "PREROUTING:raw,mangle FORWARD:mangle,filter POSTROUTING:mangle",
    ],
  ])("%s", (_what, words, expected) => {
    const { tables, verdict } = judge(everywhere, words);
    const hooks = [...new Set(tables.map(({ hook }) => hook))];
    const seen = hooks.map((hook) => `${hook}:${tables.filter((t) => t.hook === hook).map((t) => t.table)}`);
    expect(seen.join(" ")).toBe(expected);
    expect(verdict).toBe("accepted");
  });

  it("a destination that DNAT makes the machine's own leads to INPUT", () => {
    const rules = {
      nat: ["-A PREROUTING -p tcp -j DNAT --to-destination 10.9.0.254:8080"],
      filter: [":INPUT DROP [0:0]"],
    };
    const trace = judge(rules);
    expect(trace.hooks).toEqual(["PREROUTING", "INPUT"]);
    expect(trace.verdict).toBe("dropped");
    expect(trace.at).toEqual({
      hook: "INPUT",
      table: "filter",
      chain: "INPUT",
      rule: 0,
      line: null,
      detail: null,
    });
    expect(trace.after.destination).toBe("10.9.0.254:8080");
  });
});

it("a machine of which nobody tells an address has one all the same, for MASQUERADE and REDIRECT", () => {
  const masquerade = judge({ nat: ["-A POSTROUTING -j MASQUERADE"] }, { local: [] });
  expect(masquerade).toMatchObject({ verdict: "accepted", after: { source: "192.0.2.1:40000" } });
  expect(masquerade.notes).toContain("no --local-address: 192.0.2.1 stands for this machine's");
  const redirect = judge({ nat: ["-A PREROUTING -p tcp -j REDIRECT --to-ports 8080"] }, { local: [] });
  expect(redirect).toMatchObject({ verdict: "accepted", after: { destination: "192.0.2.1:8080" } });
});

describe("what connection tracking knows of the packet", () => {
  const states = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"] as const;
  const rules = {
    filter: [
      ...states.map((state) => `-A FORWARD -m conntrack --ctstate ${state} -m comment --comment ${state}`),
    ],
  };
  it.each(
    (["tcp", "udp", "icmp", "sctp"] as const).flatMap((protocol) =>
      states
        .filter((state) => state !== "INVALID" || protocol === "tcp" || protocol === "icmp")
        .map((state) => [protocol, state] as const),
    ),
  )("%s: %s", (protocol, state) => {
    const { rules: seen } = judge(rules, { protocol, state });
    expect(seen.map(({ text }) => text.split(" ").at(-1))).toEqual([state]);
  });

  it("raw's NOTRACK goes before any of it", () => {
    for (const state of ["NEW", "ESTABLISHED", "RELATED", "INVALID"] as const) {
      const { rules: seen } = judge({ raw: ["-A PREROUTING -j NOTRACK"], ...rules }, { state });
      expect(seen.at(-1)!.text).toContain("UNTRACKED");
    }
  });

  it("a RELATED connection may be translated, an established one is as it was", () => {
    const nat = { nat: ["-A PREROUTING -j DNAT --to-destination 10.9.0.3"] };
    expect(judge(nat, { state: "RELATED" }).after.destination).toBe("10.9.0.3:80");
    expect(judge(nat, { state: "ESTABLISHED" }).after.destination).toBe("10.9.0.2:80");
    expect(judge(nat, { state: "UNTRACKED" }).after.destination).toBe("10.9.0.2:80");
  });

  it.each(["udp", "sctp"] as const)("no %s packet is INVALID", (protocol) => {
    expect(() => judge(rules, { protocol, state: "INVALID" })).toThrow(RequestError);
  });
});

describe("what the rules did is told", () => {
  const rules = {
    nat: [
      ":SVC - [0:0]",
      "-A PREROUTING -d 10.0.0.10/32 -p tcp -m tcp --dport 80 -j SVC",
      "-A SVC -j MARK --set-xmark 0x4000/0x4000",
      "-A SVC -p tcp -m tcp -j DNAT --to-destination 10.9.0.2:8080",
      "-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE",
    ],
    filter: ["-A FORWARD -i eth0 -o eth1 -j ACCEPT", ":FORWARD DROP [0:0]"],
  };

  it("rules with number, line and verdict, translations, marks, rules walked", () => {
    const trace = judge(rules, { to: "10.0.0.10:80", local: ["10.9.0.254%eth1"], mark: 1 });
    expect(matched(trace)).toEqual([
      "PREROUTING 1 jump SVC",
      "SVC 1 continue",
      "SVC 2 accept",
      "FORWARD 1 accept",
      "POSTROUTING 1 accept",
    ]);
    expect(trace.rules.map(({ line }) => line)).toEqual([3, 4, 5, 9, 6]);
    expect(trace.nat.map(({ hook, before, after }) => [hook, before, after])).toEqual([
      [
        "PREROUTING",
        { source: "10.9.0.1:40000", destination: "10.0.0.10:80" },
        { source: "10.9.0.1:40000", destination: "10.9.0.2:8080" },
      ],
      [
        "POSTROUTING",
        { source: "10.9.0.1:40000", destination: "10.9.0.2:8080" },
        { source: "10.9.0.254:40000", destination: "10.9.0.2:8080" },
      ],
    ]);
    expect([trace.before.mark, trace.after.mark]).toEqual([1, 0x4001]);
    expect([trace.rulesEvaluated, trace.notes]).toEqual([5, []]);
  });

  it("the device by which it leaves decides, and a note says so where it is not known", () => {
    expect(judge(rules, { to: "10.0.0.10:80", out: "eth2" }).verdict).toBe("dropped");
    const trace = judge(rules, { to: "10.0.0.10:80", out: null });
    expect(trace.verdict).toBe("dropped");
    expect(trace.notes[0]).toContain("no --out-interface");
  });

  it.each([
    ["icmp-port-unreachable", { kind: "icmp", type: 3, code: 3, from: "10.9.0.254" }],
    ["icmp-admin-prohibited", { kind: "icmp", type: 3, code: 13, from: "10.9.0.254" }],
    ["tcp-reset", { kind: "tcp-reset", from: "10.9.0.2" }],
  ])("REJECT with %s, and what the sender hears", (how, answer) => {
    const trace = judge({ filter: [`-A FORWARD -p tcp -m tcp -j REJECT --reject-with ${how}`] });
    expect(trace.verdict).toBe("rejected");
    expect(trace.at).toMatchObject({ chain: "FORWARD", rule: 1, line: 2 });
    expect(trace.answer).toEqual(answer);
  });

  it("LOG's line", () => {
    const { log } = judge({ filter: ['-A FORWARD -j LOG --log-prefix "seen: "'] });
    expect(log[0]).toMatch(/^seen: IN=eth0 OUT=eth1 .*SRC=10\.9\.0\.1 DST=10\.9\.0\.2/);
  });

  it("addresses of the machine are LOCAL, others are not", () => {
    const local = {
      filter: [
        "-A FORWARD -m addrtype --src-type LOCAL -j DROP",
        "-A INPUT -m addrtype --dst-type LOCAL -j DROP",
      ],
    };
    expect(judge(local).verdict).toBe("accepted");
    expect(judge(local, { to: "10.9.0.7:80", local: ["10.9.0.254", "10.9.0.7"] }).verdict).toBe("dropped");
  });
});

describe("an extension that is not modelled", () => {
  const unknown = (rule: string, before: readonly string[] = []): string =>
    rulesText({ filter: [":OWN - [0:0]", ...before, rule] });
  const failure = (text: string, words: Words = {}): string => {
    try {
      return judgePacket(readRuleFile("x", text), requestOf(words), new SeededChooser(1)).verdict;
    } catch (error) {
      if (error instanceof RuleSetError) return error.message;
      throw error;
    }
  };

  it.each<[string, string, string, Words?]>([
    ["a match", unknown("-A FORWARD -m bpf --bytecode x -j DROP"), 'line 3: unknown match "bpf"'],
    ["a target", unknown("-A FORWARD -j NFQUEUE --queue-num 1"), 'line 3: unknown target "NFQUEUE"'],
    [
      "a set whose members the file does not hold",
      unknown("-A FORWARD -m set --match-set s src -j DROP"),
      "line 3: -m set --match-set s src: the file does not hold the set's members",
    ],
    [
      "is an error only when a packet comes to it: another hook",
      unknown("-A INPUT -m bpf --bytecode x"),
      "accepted",
    ],
    ["another chain", unknown("-A OWN -j NFQUEUE --queue-num 1"), "accepted"],
    ["another address", unknown("-A FORWARD -s 1.2.3.4/32 -m bpf --bytecode x"), "accepted"],
    ["another protocol", unknown("-A FORWARD -p udp -m udp -j NFQUEUE --queue-num 1"), "accepted"],
    [
      "a known match before it that does not match",
      unknown("-A FORWARD -m mark --mark 1 -m bpf --bytecode x"),
      "accepted",
    ],
    ["a rule before it that decides", unknown("-A FORWARD -j NFQUEUE", ["-A FORWARD -j DROP"]), "dropped"],
    [
      "and then again it is",
      unknown("-A FORWARD -j NFQUEUE", ["-A FORWARD -j DROP -p udp"]),
      'line 4: unknown target "NFQUEUE"',
    ],
  ])("%s", (_what, text, expected, words = {}) => {
    const message = failure(text, words);
    expect(message.startsWith(expected) ? expected : message).toBe(expected);
  });

  it("a rule that comes after, in a chain with an index, is found all the same", () => {
    const many = Array.from({ length: 40 }, (_, i) => `-A FORWARD -d 10.8.0.${i}/32 -j DROP`);
    expect(failure(unknown("-A FORWARD -d 10.9.0.2/32 -m bpf --bytecode x", many))).toContain("line 43");
  });
});

describe("every branch", () => {
  const endpoints = (n: number): string[] =>
    Array.from({ length: n }, (_, i) => {
      const left = n - i;
      const chance = left === 1 ? "" : ` -m statistic --mode random --probability ${(1 / left).toFixed(11)}`;
      return `-A PREROUTING -p tcp -m tcp${chance} -j DNAT --to-destination 10.9.1.${i + 1}`;
    });
  const explore = (nat: readonly string[], extra: Readonly<Record<string, readonly string[]>> = {}) =>
    explorePacket(readRuleFile("x", rulesText({ nat, ...extra })), requestOf(), 1).branches;
  const sum = (branches: ReturnType<typeof explore>): bigint =>
    branches.reduce(
      (whole, { numerator, denominator }) => whole + (BigInt(numerator) * 2n ** 155n) / BigInt(denominator),
      0n,
    );

  it.each([1, 2, 5])("of %i endpoints, with probabilities whose sum is exactly 1", (n) => {
    const branches = explore(endpoints(n));
    expect(branches.map(({ trace }) => trace.after.destination)).toEqual(
      Array.from({ length: n }, (_, i) => `10.9.1.${i + 1}:80`),
    );
    expect(sum(branches)).toBe(2n ** 155n);
    for (const { probability } of branches) expect(probability).toBeCloseTo(1 / n, 7);
  });

  it("the exact share is that of xt_statistic's 31 bits", () => {
    const [first, second] = explore(endpoints(3));
    expect([first!.numerator, first!.denominator]).toEqual(["715827883", "2147483648"]);
    expect(Number(second!.numerator) / Number(second!.denominator)).toBeCloseTo(1 / 3, 9);
  });

  it("equal ends that chance reached by different rules are kept apart, equal ones by equal rules are one", () => {
    const toss = "-m statistic --mode random --probability 0.5";
    expect(explore([], { mangle: [`-A PREROUTING ${toss} -j MARK --set-xmark 0x0/0x1`] })).toHaveLength(2);
    expect(explore([], { mangle: [`-A PREROUTING ${toss} -m mark --mark 0x1 -j ACCEPT`] })).toHaveLength(1);
    expect(explore(["-A POSTROUTING -j MASQUERADE --random-fully"])).toHaveLength(1);
  });
});

describe("the same packet twice", () => {
  it("is judged alike, and from a machine that has seen no other", () => {
    const file = readRuleFile(
      "x",
      rulesText({
        filter: ["-A FORWARD -m recent --name L --rcheck -j DROP", "-A FORWARD -m recent --name L --set"],
      }),
    );
    const once = judgePacket(file, requestOf(), new SeededChooser(3));
    expect(judgePacket(file, requestOf(), new SeededChooser(3))).toEqual(once);
    expect(once.verdict).toBe("accepted");
  });
});
