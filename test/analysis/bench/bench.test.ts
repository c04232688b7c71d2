import { describe, expect, it } from "vitest";
import { type BenchRow, DEFAULT_REQUEST, runBench } from "../../../src/analysis/bench/bench.ts";
import { benchChart } from "../../../src/analysis/bench/chart.ts";
import { DEFAULT_COSTS, latencyUs } from "../../../src/analysis/bench/cost-model.ts";
import { isWorthWorkers, runBenchInWorkers } from "../../../src/analysis/bench/in-workers.ts";
import { spread } from "../../../src/analysis/bench/statistics.ts";
import { benchCsv, benchJson, benchTable } from "../../../src/analysis/bench/text.ts";

const request = { ...DEFAULT_REQUEST, services: [10, 200], endpoints: [1, 3], speedSeconds: 0 };
const rows = runBench(request);
const of = (mode: BenchRow["mode"], services: number, endpoints: number): BenchRow =>
  rows.find((row) => row.mode === mode && row.services === services && row.endpoints === endpoints)!;

describe("runBench", () => {
  it("measures every combination, modes first", () => {
    expect(rows.map(({ mode, services, endpoints }) => [mode, services, endpoints])).toEqual(
      ["iptables", "ipvs", "nftables"].flatMap((mode) =>
        [10, 200].flatMap((services) => [1, 3].map((endpoints) => [mode, services, endpoints])),
      ),
    );
  });

  it("finds a rule a Service before the one that matches in iptables mode, and none more in the others", () => {
    const step = (mode: BenchRow["mode"]): number =>
      of(mode, 200, 1).firstPacketRules.worst - of(mode, 10, 1).firstPacketRules.worst;
    expect(step("iptables")).toBe(190);
    expect(step("ipvs")).toBe(0);
    expect(step("nftables")).toBe(0);
  });

  it("has the median Service in the middle of the chain in iptables mode", () => {
    const { p50, worst } = of("iptables", 200, 1).firstPacketRules;
    expect(worst - p50).toBe(100);
  });

  it("finds packets of standing flows as cheap with 200 Services as with 10, and one connection a flow", () => {
    for (const mode of request.modes) {
      expect(of(mode, 200, 3).establishedPacketRules).toBe(of(mode, 10, 3).establishedPacketRules);
      expect(of(mode, 200, 3).conntrackEntries).toBe(1);
    }
  });

  it("counts rules as kube-proxy makes them: two a Service and three an endpoint; none in ipvs mode", () => {
    const more = (mode: BenchRow["mode"], endpoints: number): number =>
      of(mode, 200, endpoints).rulesInSet - of(mode, 10, endpoints).rulesInSet;
    expect(more("iptables", 1)).toBe(190 * (2 + 3));
    expect(more("iptables", 3)).toBe(190 * (2 + 3 * 3));
    expect(more("nftables", 3)).toBe(190 * (2 + 2 * 3));
    expect(more("ipvs", 3)).toBe(0);
  });

  it("hands over less after one endpoint changed than at first, and in nftables mode as much however many Services", () => {
    for (const row of rows) expect(row.syncBytes.oneEndpoint).toBeLessThan(row.syncBytes.full);
    expect(of("iptables", 200, 3).syncBytes.oneEndpoint).toBeGreaterThan(
      of("iptables", 10, 3).syncBytes.oneEndpoint + 190 * 100,
    );
    // names get no longer
    expect(of("nftables", 200, 3).syncBytes.oneEndpoint).toBeLessThan(
      of("nftables", 10, 3).syncBytes.oneEndpoint + 50,
    );
  });

  it("gives the same figures for the same seed", () => {
    const small = { ...request, services: [10], endpoints: [3] };
    expect(benchJson(runBench(small), small)).toBe(benchJson(runBench(small), small));
  });

  it("counts both nodes when endpoints are on another one", () => {
    const small = { ...request, services: [50], endpoints: [1], modes: ["iptables" as const] };
    const [near] = runBench(small);
    const [far] = runBench({ ...small, placement: "other-node" });
    // nobody's Service there, so the whole of KUBE-SERVICES is walked once more
    expect(far!.firstPacketRules.mean - near!.firstPacketRules.mean).toBeGreaterThan(50);
    expect(far!.conntrackEntries).toBe(2);
  });
});

describe("runBenchInWorkers", () => {
  it("comes to the same rows in the same order, each with the simulator's own speed", async () => {
    let done = 0;
    const asked = { ...request, services: [10, 200], endpoints: [1], speedSeconds: 0.01 };
    const found = await runBenchInWorkers(asked, 2, () => void done++);
    const counts = found.map((row) => ({ ...row, simulator: null }));
    expect(counts).toEqual(rows.filter(({ endpoints }) => endpoints === 1));
    expect(done).toBe(found.length);
    for (const { simulator } of found) expect(simulator!.newFlows).toBeGreaterThan(0);
  });

  it("is for many endpoints only", () => {
    expect(isWorthWorkers(DEFAULT_REQUEST)).toBe(true);
    expect(isWorthWorkers(request)).toBe(false);
  });
});

describe("latencyUs", () => {
  it.each([
    [{ iptablesRules: 0, nftablesRules: 0, lookups: 0, conntrackInserts: 0 }, 6],
    [{ iptablesRules: 1000, nftablesRules: 0, lookups: 0, conntrackInserts: 0 }, 23],
    [{ iptablesRules: 0, nftablesRules: 100, lookups: 10, conntrackInserts: 1 }, 10.3],
  ])("%j is %d µs", (work, expected) => {
    expect(latencyUs(DEFAULT_COSTS, work)).toBeCloseTo(expected, 9);
  });

  it("agrees within a fifth with what the kernel took for the last of 1,000 and 10,000 Services", () => {
    // one endpoint each; 29.55 and 178.00 µs were measured
    const work = (services: number) => ({
      iptablesRules: services + 21,
      nftablesRules: 0,
      lookups: 0,
      conntrackInserts: 1,
    });
    expect(latencyUs(DEFAULT_COSTS, work(1000)) / 29.55).toBeGreaterThan(0.8);
    expect(latencyUs(DEFAULT_COSTS, work(10000)) / 178).toBeCloseTo(1, 1);
  });
});

describe("spread", () => {
  it.each([
    [[], { mean: 0, p50: 0, p99: 0, worst: 0 }],
    [[3], { mean: 3, p50: 3, p99: 3, worst: 3 }],
    [[4, 1, 3, 2], { mean: 2.5, p50: 2, p99: 4, worst: 4 }],
    [Array.from({ length: 200 }, (_, i) => i + 1), { mean: 100.5, p50: 100, p99: 198, worst: 200 }],
  ])("of %j", (values, expected) => {
    expect(spread(values)).toEqual(expected);
  });
});

describe("output", () => {
  it("is one JSON document with the costs' source", () => {
    const document = JSON.parse(benchJson(rows, request));
    expect(document.kind).toBe("Bench");
    expect(document.request.costs.source).toContain("Linux 6.18.44");
    expect(document.rows).toHaveLength(rows.length);
  });

  it("is CSV with one line a combination, every line as long as the first", () => {
    const lines = benchCsv(rows).trimEnd().split("\r\n");
    expect(lines).toHaveLength(rows.length + 1);
    expect(new Set(lines.map((line) => line.split(",").length)).size).toBe(1);
  });

  it("is a table that says where its costs come from", () => {
    const table = benchTable(rows, request);
    expect(table).toContain("nftables");
    expect(table).toContain("a rule 17 ns");
  });

  it("is an SVG document with a line a mode and number of endpoints", async () => {
    const svg = await benchChart(rows, request);
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    for (const colour of ["#d55e00", "#009e73", "#0072b2"]) expect(svg).toContain(colour);
  });
});
