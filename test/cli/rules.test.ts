import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { RuleTrace, RuleTraceSet } from "../../src/analysis/rule-file/result.ts";
import { podpath, podpathLine } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "podpath-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** What the built-in cluster's first node holds, from the program itself. */
const { out: saved } = await podpathLine("export --node srv-k8s-node1 --format iptables-save");
const node = write("node.rules", saved);
const VIP = /-A KUBE-SERVICES -d ([0-9.]+)\/32 .*--comment "default\/nginx-service cluster IP"/.exec(
  saved,
)![1]!;
const pod = `rules --iptables-save ${node} --from 192.168.97.2 --to ${VIP}:80 --in-interface docker0 --out-interface flannel0 --local-address 192.168.97.1%docker0`;

describe("podpath rules", () => {
  it("tells where a rule file sends a packet, and ends with 0", async () => {
    const { code, out, err } = await podpathLine(`${pod} -o json`);
    const trace = JSON.parse(out) as RuleTrace;
    expect([code, err, trace.kind, trace.verdict]).toEqual([0, "", "RuleTrace", "accepted"]);
    expect(trace.hooks).toEqual(["PREROUTING", "FORWARD", "POSTROUTING"]);
    expect(trace.after.destination).toMatch(/^192\.168\.9[67]\.\d+:80$/);
    const lines = saved.split("\n");
    for (const { chain, text, line } of trace.rules) expect(lines[line! - 1]).toBe(`-A ${chain} ${text}`);
  });

  it("gives the same bytes for the same seed, and says it in words as well", async () => {
    const [first, second, other] = await Promise.all(
      [pod, pod, `${pod} --seed 2`].map((line) => podpathLine(line)),
    );
    expect(second).toEqual(first);
    expect(other!.out).not.toBe(first!.out);
    expect(first!.out).toMatch(/^verdict {3}accepted$/m);
    expect(first!.out).toMatch(/^nat {7}192\.168\.97\.2:\d+ > .* becomes .*:80$/m);
    expect(first!.out).toMatch(/^rules {5}\d+ matched of \d+ walked$/m);
  });

  it("--explore finds every endpoint, with probabilities that sum to 1", async () => {
    const { code, out } = await podpathLine(`${pod} --explore -o json`);
    const { kind, branches } = JSON.parse(out) as RuleTraceSet;
    const endpoints = saved.match(/default\/nginx-service -> /g)!.length;
    expect([code, kind, branches.length]).toEqual([0, "RuleTraceSet", endpoints]);
    const unit = 2n ** (31n * BigInt(endpoints));
    const sum = branches.reduce((all, b) => all + (BigInt(b.numerator) * unit) / BigInt(b.denominator), 0n);
    expect(sum).toBe(unit);
    expect(branches.reduce((all, { probability }) => all + probability, 0)).toBeCloseTo(1, 9);
  });

  it("ends with 1 when the packet is dropped, or rejected", async () => {
    const drop = write(
      "drop.rules",
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
    );
    const reject = write("reject.rules", "*filter\n-A OUTPUT -m mark --mark 0x10/0xf0 -j REJECT\nCOMMIT\n");
    const words = "--from 10.0.0.1 --to 10.0.0.2:80 --out-interface eth0";
    const dropped = await podpathLine(`rules --iptables-save ${drop} ${words} --in-interface eth1`);
    expect([dropped.code, dropped.err]).toEqual([1, ""]);
    expect(dropped.out).toMatch(/^verdict {3}dropped in FORWARD filter, policy of FORWARD$/m);
    const rejected = await podpathLine(`rules --iptables-save ${reject} ${words} --mark 0x1f/0xf0`);
    expect(rejected.code).toBe(1);
    expect(rejected.out).toMatch(/^verdict {3}rejected in OUTPUT filter, OUTPUT rule 1 \(line 2\): REJECT$/m);
    expect(rejected.out).toMatch(/^answer {4}ICMP 3\/3 from 10\.0\.0\.1$/m);
    const explored = await podpathLine(
      `rules --iptables-save ${drop} ${words} --in-interface eth1 --explore`,
    );
    expect(explored.code).toBe(1);
    expect(explored.out).toMatch(/1 branch\n\nalways\n {2}verdict {3}dropped/);
  });
});

describe("what is wrong with the file is said with its line, and ends with 2", () => {
  const words = ["--from", "10.0.0.1", "--to", "10.0.0.2:80", "--in-interface", "eth0"];
  it.each([
    ["broken.rules", "*filter\n-A FORWARD -j NOWHERE\nCOMMIT\n", ':2: jump to unknown chain "NOWHERE"'],
    ["cut.rules", "*filter\n-A FORWARD -j DROP\n", ':2: table "filter" has no COMMIT'],
    [
      "unknown.rules",
      "*filter\n-A FORWARD -m bpf --bytecode x -j DROP\nCOMMIT\n",
      ':2: unknown match "bpf": no packet can be judged by this rule',
    ],
  ])("%s", async (name, text, message) => {
    const path = write(name, text);
    const outcome = await podpath(["rules", "--iptables-save", path, ...words]);
    expect(outcome).toEqual({ code: 2, out: "", err: `${path}${message}\n` });
  });
});

describe("what is wrong with the command line is said in one line, and ends with 2", () => {
  it.each([
    ["--from 10.0.0.1 --to 10.0.0.2:80", "required option '--iptables-save' not specified"],
    ["--iptables-save FILE --to 10.0.0.2:80", "required option '--from' not specified"],
    ["--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2", "--to 10.0.0.2: a port is needed, as IP:PORT"],
    [
      "--iptables-save FILE --from 10.0.0.300 --to 10.0.0.2:80",
      "--from 10.0.0.300: 10.0.0.300 is no IPv4 address",
    ],
    [
      "--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:0",
      "--to 10.0.0.2:0: port 0 is no number from 1 to 65535",
    ],
    [
      "--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:80 --protocol icmp",
      "icmp has no ports: --from and --to are addresses alone",
    ],
    [
      "--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:80 --mark x",
      "--mark x: it is no 32-bit N or N/MASK",
    ],
    [
      "--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:80 --mark 0x100000000",
      "--mark 0x100000000: it is no 32-bit N or N/MASK",
    ],
    [
      "--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:80 --local-address 10.0.0.1/33",
      "--local-address 10.0.0.1/33: it is no IP[/LENGTH][%DEVICE]",
    ],
    [
      "--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:80 --in-interface a/b",
      "--in-interface a/b: it is no name of a device",
    ],
    [
      "--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:80 --protocol udp --ctstate INVALID",
      "no udp packet is INVALID but one with a wrong checksum, which is not modelled",
    ],
    ["--iptables-save nowhere.rules --from 10.0.0.1 --to 10.0.0.2:80", "nowhere.rules: ENOENT"],
    ["--iptables-save FILE --from 10.0.0.1 --to 10.0.0.2:80 --ctstate OLD", "argument 'OLD' is invalid"],
  ])("%s", async (line, message) => {
    const { code, out, err } = await podpathLine(`rules ${line.replace("FILE", node)}`);
    expect([code, out]).toEqual([2, ""]);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect(err).toContain(message);
  });
});
