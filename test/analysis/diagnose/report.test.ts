import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../../src/analysis/diagnose/catalogue.ts";
import { podpath } from "../../cli/run.ts";
import { failurePath } from "./topology.ts";

/** The line of the first text of that kind in a topology. */
function lineOf(name: string, text: string): number {
  const lines = readFileSync(failurePath(name), "utf8").split("\n");
  return 1 + lines.findIndex((line) => !line.startsWith("#") && line.includes(text));
}

const run = (name: string, ...more: string[]) => podpath(["diagnose", "-f", failurePath(name), ...more]);

describe("podpath diagnose", () => {
  it("tells what is wrong, where, what it breaks, and what mends it", async () => {
    const { code, out, err } = await run("no-endpoints");
    expect(out.replaceAll(failurePath("no-endpoints"), "no-endpoints.yaml")).toMatchInlineSnapshot(`
      "error no-endpoints  no-endpoints.yaml:47 Service/web spec.selector
        default/web has no ready endpoint: its selector app=wbe matches no pod (web has app=web)
        symptom   connections to the Service are refused at once
        flow      tcp pod/default/client > svc/default/web:80
                  rejected NETFILTER_DROP in node1, docker0, FORWARD filter, KUBE-SERVICES rule 1; the
                  sender is told ICMP 3/3 from 10.244.1.1
        mended    delivered to node2/default/web ttl 60, reply delivered
        mend      kubectl -n default set selector svc web app=web

      1 error, 0 warnings, 0 info
      "
    `);
    expect([code, err]).toEqual([1, ""]);
  });

  it("has nothing to say about a sound cluster", async () => {
    expect(await run("no-endpoints.mended")).toEqual({ code: 0, out: "nothing is wrong\n", err: "" });
  });

  it("puts together what one line is to blame for", async () => {
    const { out } = await run("double-masquerade");
    expect(out).toContain(
      `double-masquerade.yaml:${lineOf("double-masquerade", "docker:")} Cluster/double-masquerade spec.node.docker.ipMasq`,
    );
    expect(out).toContain("likewise  Node/node2");
    expect(out).toContain("0 errors, 0 warnings, 1 info\n");
  });

  it.each([
    ["an error", "hairpin-off", [], 1],
    ["a warning", "service-cidr-overlap", [], 0],
    ["an info", "source-lost", [], 0],
    ["nothing of the checks that are made", "hairpin-off", ["--check", "forward-drop"], 0],
    [
      "something of the checks that are made",
      "hairpin-off",
      ["--check", "forward-drop", "--check", "hairpin-off"],
      1,
    ],
  ])("exits for %s", async (_, name, more, expected) => {
    expect((await run(name, ...more)).code).toBe(expected);
  });

  it.each([
    [["--check", "nonsense"], "there is no check 'nonsense'"],
    [["--severity", "fatal"], "Allowed choices are error, warning, info"],
    [["-o", "xml"], "Allowed choices are text, json, sarif"],
    [["-f", "nowhere.yaml"], "nowhere.yaml: no such file or folder"],
  ])("%s is bad input", async (more, message) => {
    const { code, out, err } = await run("hairpin-off", ...more);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  it("leaves out what is less severe than asked for", async () => {
    expect((await run("source-lost", "--severity", "warning")).out).toBe("nothing is wrong\n");
  });

  it("warns of what programs try in vain", async () => {
    const { err } = await run("hostport-conflict");
    expect(err).toContain("EADDRINUSE: tcp 8080 in node1");
  });

  it("prints the same byte for byte for the same input", async () => {
    expect(await run("snat-port-race", "-o", "json")).toEqual(await run("snat-port-race", "-o", "json"));
  });
});

describe("-o json", () => {
  it("is one document with the trace that proves each finding", async () => {
    const { out } = await run("target-port-wrong", "-o", "json");
    const { kind, findings, summary } = JSON.parse(out);
    expect(kind).toBe("Diagnosis");
    expect(summary).toEqual({ error: 1, warning: 0, info: 0 });
    expect(findings).toMatchObject([
      {
        id: "target-port-wrong",
        severity: "error",
        location: {
          line: lineOf("target-port-wrong", "targetPort"),
          object: "Service/web",
          path: "spec.ports[0].targetPort",
        },
        evidence: { trace: { verdict: "refused", reason: "NO_SOCKET" } },
        mended: { trace: { verdict: "delivered", reply: { verdict: "delivered" } } },
      },
    ]);
    expect(findings[0].evidence.trace.events).toBeUndefined();
  });
});

describe("-o sarif", () => {
  it("names every check as a rule, and each finding with file, line and object", async () => {
    const { out } = await run("target-port-wrong", "-o", "sarif");
    const log = JSON.parse(out);
    expect(log.version).toBe("2.1.0");
    const [{ tool, results }] = log.runs;
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(CATALOGUE.map(({ id }) => id));
    expect(results).toHaveLength(1);
    const [{ ruleId, ruleIndex, level, locations }] = results;
    expect([ruleId, level]).toEqual(["target-port-wrong", "error"]);
    expect(tool.driver.rules[ruleIndex].id).toBe("target-port-wrong");
    expect(locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: `file://${failurePath("target-port-wrong")}` },
      region: { startLine: lineOf("target-port-wrong", "targetPort") },
    });
    expect(locations[0].logicalLocations[0].fullyQualifiedName).toBe("Service/web spec.ports[0].targetPort");
  });

  it("has an empty list of results for a sound cluster", async () => {
    const { code, out } = await run("target-port-wrong.mended", "-o", "sarif");
    expect([code, JSON.parse(out).runs[0].results]).toEqual([0, []]);
  });
});
