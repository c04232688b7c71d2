import { describe, expect, it } from "vitest";
import { reachCsv } from "../../../src/analysis/reach/csv.ts";
import { judge, readExpectation } from "../../../src/analysis/reach/expectation.ts";
import { reachJunit } from "../../../src/analysis/reach/junit.ts";
import { reach } from "../../../src/analysis/reach/reach.ts";
import { differencesText, reachTable } from "../../../src/analysis/reach/table.ts";
import { smallCluster } from "./small-cluster.ts";

const { result } = reach(smallCluster());
const judged = (text: string) => judge(result, readExpectation("expected.yaml", text), "expected.yaml");

describe("an expectation", () => {
  it("holds", () => {
    const judgements = judged(`
allowed:
- {from: "pod/default/client-*", to: "svc/default/web:80"}
- {from: "node/*", to: "svc/default/dns:53", protocol: udp}
- {from: pod/default/web-1, to: "svc/default/web:80", probability: 0.5}
forbidden:
- {from: "*/*", to: "svc/default/none:80"}
- {from: "pod/*", to: "svc/default/none:*"}
`);
    expect(differencesText(judgements)).toBe("");
    expect(judgements.map(({ pairs }) => pairs)).toEqual([6, 2, 1, 3, 10]);
  });

  it("tells what differs, pair by pair, and why", () => {
    const judgements = judged(`
allowed:
- {from: "pod/*", to: "svc/default/web:80"}
- {from: pod/default/web-1, to: "svc/default/web:80", probability: 0.75}
forbidden:
- {from: host/outside, to: "node/*:30080"}
`);
    const text = differencesText(judgements);
    expect(text).toMatch(
      /^allowed\[0\]: pod\/default\/web-1 → svc\/default\/web:80 tcp is answered: 1\/2; .*hairpin is off there$/m,
    );
    expect(text).toMatch(/^allowed\[1\]: pod\/default\/web-1 → /m);
    expect(text).toMatch(/^forbidden\[0\]: host\/outside → node\/n1:30080 tcp is delivered: always$/m);
    expect(text.split("\n")).toHaveLength(2 + 1 + 2 + 1);
  });

  it.each([
    ["allowed: 7", "expected.yaml: allowed: Invalid input: expected array, received number"],
    [
      "allowed: [{from: a}]",
      "expected.yaml: allowed[0].to: Invalid input: expected string, received undefined",
    ],
    ["allow: []", 'expected.yaml: the document: Unrecognized key: "allow"'],
    ["allowed: [{from: a, to: b, probability: 2}]", "allowed[0].probability: Too big"],
    ["allowed: [", "expected.yaml: "],
    [
      "allowed: [{from: pod/nobody, to: 'svc/*/*:*'}]",
      "allowed[0]: no pair is meant by pod/nobody → svc/*/*:*",
    ],
  ])("that is wrong is refused: %s", (text, message) => {
    expect(() => judged(text)).toThrow(message);
  });
});

describe("a reach", () => {
  it("is a table", () => {
    const text = reachTable(result, { color: false, failures: true });
    expect(text).toContain("svc/default/none:80");
    expect(text).toContain("pod/default/web-1");
    expect(text.length).toBeLessThan(reachTable(result, { color: false, failures: false }).length);
    expect(text.trimEnd().split("\n").at(-1)).toMatch(
      /^13 senders, 13 targets, 169 pairs: \d+ always answered, /,
    );
  });

  it("is CSV that a reader takes apart again", () => {
    const [head, ...lines] = reachCsv(result).trimEnd().split("\r\n");
    expect(head).toBe("to,protocol,kind,of,from,senders,delivered,answered,because");
    expect(lines).toHaveLength(result.rows.length);
    const senders = lines.map((line) => Number(line.split(",")[5]));
    expect(senders.reduce((a, b) => a + b, 0)).toBe(169);
    expect(lines.some((line) => /,"0\.5.*the frame would leave by .*"$/.test(line))).toBe(true);
  });

  it("is JUnit's XML", () => {
    const xml = reachJunit(result, null);
    expect(xml).toContain('<testsuites name="podpath reach small"');
    expect(xml.match(/<testcase /g)).toHaveLength(result.rows.length);
    const failing = result.rows.filter(({ answered }) => answered !== 1).length;
    expect(xml.match(/<failure /g)).toHaveLength(failing);
    const of = reachJunit(result, judged('forbidden: [{from: "host/*", to: "node/*:30080"}]'));
    expect(of).toContain('name="forbidden[0] host/* → node/*:30080"');
    expect(of).toContain("2 of 2 pairs are not as expected");
  });

  it("escapes what XML would take for its own", () => {
    const row = { ...result.rows[0]!, answered: 0, because: [{ probability: 1, text: 'a <b> & "c"' }] };
    expect(reachJunit({ ...result, rows: [row] }, null)).toContain("1 a &lt;b&gt; &amp; &quot;c&quot;");
  });
});
