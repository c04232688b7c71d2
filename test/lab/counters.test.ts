import { describe, expect, it } from "vitest";
import { counted, parseCounters } from "../../src/lab/counters.ts";
import { Distribution } from "../../src/lab/distribution.ts";
import { guidanceOf } from "../../src/lab/guided-chooser.ts";
import type { FlowRecord, Frame } from "../../src/lab/record.ts";
import { ETH_P_ARP, ETH_P_IP, Packet } from "../../src/packet/packet.ts";

const save = (policy: number, a: number, b: number): string => `*nat
:PREROUTING ACCEPT [${policy}:60]
:SVC - [0:0]
[${a + b}:60] -A PREROUTING -j SVC
[${a}:60] -A SVC -m statistic --mode random --probability 0.5 -j SEP-A
[${b}:60] -A SVC -j SEP-B
COMMIT
`;

describe("counters", () => {
  it("are known by table, chain and number", () => {
    expect([...parseCounters(save(1, 2, 3)).keys()]).toEqual([
      "nat PREROUTING 0",
      "nat PREROUTING 1",
      "nat SVC 1",
      "nat SVC 2",
    ]);
  });

  it("tell what counted in between", () => {
    const rows = counted("n1", save(0, 0, 0), save(0, 0, 1));
    expect(rows.map(({ chain, rule, packets }) => [chain, rule, packets])).toEqual([
      ["PREROUTING", 1, 1],
      ["SVC", 2, 1],
    ]);
  });
});

const rules = (_netns: string, _table: string, chain: string): readonly string[] =>
  chain === "SVC"
    ? ["-m statistic --mode random --probability 0.5 -j SEP-A", "-j SEP-B"]
    : chain === "PREROUTING"
      ? ["-j SVC"]
      : [];

const recordOf = (a: number, b: number): FlowRecord => ({
  frames: [],
  sender: { errno: null, connected: false, replies: [], errors: [] },
  receivers: [],
  conntrack: {
    n1: [
      {
        protocol: "udp",
        original: "1.1.1.1:5>2.2.2.2:53",
        reply: "3.3.3.3:53>4.4.4.4:1030",
        state: null,
        flags: [],
        mark: 0,
      },
    ],
  },
  counts: counted("n1", save(0, 0, 0), save(0, a, b)),
});

describe("guidance", () => {
  it("reads off which random rule matched, and which port was drawn", () => {
    expect(guidanceOf(recordOf(1, 0), rules)).toEqual({ chances: [true], ports: [1030] });
    expect(guidanceOf(recordOf(0, 1), rules).chances).toEqual([false]);
  });

  it("follows the packets from node to node, not the requests for neighbours", () => {
    const frame = (netns: string, etherType: number): Frame => {
      const packet = new Packet();
      packet.etherType = etherType;
      return {
        netns,
        device: "eth0",
        direction: "rx",
        timeUs: 0,
        link: "ethernet",
        packet,
        unreadable: null,
      };
    };
    const conntrack = (port: number) => [
      { ...recordOf(1, 0).conntrack["n1"]![0]!, reply: `3.3.3.3:53>4.4.4.4:${port}` },
    ];
    const record: FlowRecord = {
      ...recordOf(1, 0),
      frames: [frame("n2", ETH_P_ARP), frame("n1", ETH_P_IP), frame("n2", ETH_P_IP)],
      conntrack: { n2: conntrack(2222), n1: conntrack(1111) },
    };
    expect(guidanceOf(record, rules).ports).toEqual([1111, 2222]);
  });

  it("takes no port of a connection that was there before", () => {
    const record = recordOf(1, 0);
    expect(guidanceOf(record, rules, record.conntrack).ports).toEqual([]);
    expect(guidanceOf(record, rules, { n2: record.conntrack["n1"]! }).ports).toEqual([1030]);
  });
});

describe("the distribution of random choices", () => {
  const reportOf = (a: number, b: number) => {
    const distribution = new Distribution();
    distribution.add(recordOf(a, b), rules);
    return distribution.report();
  };
  it("finds even choices likely", () => {
    expect(reportOf(52, 48)).toMatchObject({ choices: 100, chains: 1, freedom: 1 });
    expect(reportOf(52, 48).p).toBeGreaterThan(0.5);
  });
  it("finds uneven ones unlikely", () => {
    expect(reportOf(80, 20).p).toBeLessThan(0.001);
  });
  it("says nothing of few", () => {
    expect(reportOf(3, 1)).toMatchObject({ chains: 0, p: 1 });
  });
});
