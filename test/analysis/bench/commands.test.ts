import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Console } from "../../../src/cli/console.ts";
import { run } from "../../../src/cli/program.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";

async function command(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const console: Console = {
    out(text) {
      said.out += text;
    },
    err(text) {
      said.err += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    columns: undefined,
    noColor: true,
  };
  const code = await run(argv, console);
  return { code, ...said };
}

const folder = mkdtempSync(join(tmpdir(), "podpath-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));
const costFile = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const SMALL = [
  "bench",
  "--services",
  "10",
  "--endpoints",
  "1",
  "--modes",
  "iptables",
  "--no-speed",
  "-o",
  "json",
];

describe("podpath bench", () => {
  it("prints one JSON document and nothing else, the same every time", async () => {
    const { code, out, err } = await command(...SMALL);
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out).rows).toHaveLength(1);
    expect((await command(...SMALL)).out).toBe(out);
  });

  it("prints the same whatever the number of workers", async () => {
    const { out } = await command(...SMALL);
    expect(await command(...SMALL, "--workers", "2")).toEqual({ code: 0, out, err: "" });
  });

  it("takes its costs from a file", async () => {
    const path = costFile("costs.json", '{"iptablesRuleNs": 0, "conntrackInsertNs": 0, "packetNs": 1000}');
    const { out } = await command(...SMALL, "--cost", path);
    expect(JSON.parse(out).rows[0].firstPacketUs.worst).toBe(1);
  });

  it.each<[readonly string[], RegExp]>([
    [["--services", "0"], /no whole number from 1/],
    [["--services", "ten"], /no whole number from 1/],
    [["--endpoints", "1,5000"], /no whole number from 1 to 1000/],
    [["--modes", "iptables,userspace"], /"userspace" is none of iptables, ipvs, nftables/],
    [["--scheduler", "mh"], /rr, wrr, lc, sh/],
    [["-o", "png"], /table, json, csv, svg/],
    [["--cost", "/nowhere/costs.json"], /\/nowhere\/costs\.json: ENOENT/],
    [["--cost", costFile("broken.json", "{")], /broken\.json: /],
    [["--cost", costFile("negative.json", '{"packetNs": -1}')], /negative\.json: packetNs: /],
    [["--cost", costFile("unknown.json", '{"ruleNs": 1}')], /unknown\.json: ruleNs: unknown field/],
  ])("refuses %j with one line and exit code 2", async (options, message) => {
    const { code, out, err } = await command("bench", ...options);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("podpath generate", () => {
  it("writes a topology that loads", async () => {
    const { code, out, err } = await command(
      "generate",
      "--nodes",
      "3",
      "--pods",
      "30",
      "--services",
      "4",
      "--seed",
      "5",
    );
    expect([code, err]).toEqual([0, ""]);
    expect(loadTopology([{ file: "-", text: out }]).model.pods).toHaveLength(30);
  });

  it.each<[readonly string[], RegExp]>([
    [["--nodes", "0"], /no whole number from 1/],
    [["--node-ports", "1.5"], /no share from 0 to 1/],
    [["--endpoints-per-service", "0"], /no number of at least 1/],
    [["--pods", "2", "--endpoints-per-service", "3"], /3 endpoints need as many pods, there are 2/],
    [["--backend", "ipip"], /udp, vxlan, host-gw/],
  ])("refuses %j with one line and exit code 2", async (options, message) => {
    const { code, out, err } = await command("generate", ...options);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});
