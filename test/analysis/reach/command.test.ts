import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { podpathLine } from "../../cli/run.ts";
import { SMALL } from "./small-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "podpath-reach-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of that content, by its path. */
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const small = file("small.yaml", SMALL);
const good = file("good.yaml", 'allowed: [{from: "node/*", to: "svc/default/web:80"}]');
const bad = file("bad.yaml", 'forbidden: [{from: "node/*", to: "svc/default/web:80"}]');
const idle = file("idle.yaml", 'allowed: [{from: "node/nobody", to: "svc/default/web:80"}]');

describe("podpath reach", () => {
  it("prints one JSON document and nothing else", async () => {
    const { code, out, err } = await podpathLine(`reach -f ${small} -o json`);
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({ kind: "Reach", cluster: "small", shard: null, targets: 13 });
    expect((await podpathLine(`reach -f ${small} -o json`)).out).toBe(out);
  });

  it("fails where an expectation does not hold, and tells where", async () => {
    expect((await podpathLine(`reach -f ${small} --expect ${good}`)).code).toBe(0);
    const { code, err } = await podpathLine(`reach -f ${small} --expect ${bad} -o junit`);
    expect(code).toBe(1);
    expect(err).toContain("forbidden[0]: node/n1 → svc/default/web:80 tcp is delivered: always\n");
  });

  it("writes parts that merge puts together, and judges them then", async () => {
    const whole = (await podpathLine(`reach -f ${small} -o json`)).out;
    const parts = [0, 1].map((i) => join(folder, `part-${i}.json`));
    for (const [i, part] of parts.entries())
      expect(await podpathLine(`reach -f ${small} --shard ${i}/2 -o json --out ${part}`)).toMatchObject({
        code: 0,
        out: "",
      });
    const all = join(folder, "all.json");
    expect((await podpathLine(`merge ${parts.join(" ")} -o json --out ${all}`)).code).toBe(0);
    expect(readFileSync(all, "utf8")).toBe(whole);
    expect((await podpathLine(`merge ${parts.join(" ")} --expect ${bad}`)).code).toBe(1);
    expect(await podpathLine(`merge ${parts[0]}`)).toMatchObject({
      code: 2,
      err: "podpath: error: of 2 parts, 1 are missing\n",
    });
    expect(await podpathLine(`merge ${small}`)).toMatchObject({
      code: 2,
      err: `podpath: error: ${small}: it is no JSON document\n`,
    });
  });

  it.each([
    ["reach --shard 2/2", /argument '2\/2' is invalid\. It is no I\/N/],
    ["reach --shard 0/2 --emit-job 2", /cannot be used with/],
    [`reach -f ${small} --shard 0/2 --expect ${good}`, /--expect needs the whole/],
    [`reach -f ${small} --expect ${idle}`, /idle\.yaml: allowed\[0\]: no pair is meant by node\/nobody/],
    [`reach -f ${small} --expect ${join(folder, "none.yaml")}`, /none\.yaml: ENOENT/],
    [`reach -f ${small} --out ${folder}/no/such/file`, /--out .*ENOENT/],
    ["merge", /missing required argument 'part'/],
    ["trace --from pod/client --to svc/nginx:80 --explore --count 2", /cannot be used with/],
  ])("refuses %s", async (line, message) => {
    const { code, out, err } = await podpathLine(line);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });
});

describe("podpath trace --explore", () => {
  it("prints a TraceSet whose probabilities sum to 1", async () => {
    const { code, out } = await podpathLine("trace --from pod/client --to svc/nginx:80 --explore -o json");
    const { kind, branches } = JSON.parse(out) as {
      kind: string;
      branches: { probability: number; trace: { kind: string } }[];
    };
    expect([code, kind, branches.length]).toEqual([0, "TraceSet", 4]);
    expect(branches.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(branches.every(({ trace }) => trace.kind === "Trace")).toBe(true);
  });

  it("fails where one branch does", async () => {
    const { code, out } = await podpathLine("trace --from pod/hello-nginx-14hst --to svc/nginx:80 --explore");
    expect(code).toBe(1);
    expect(out).toContain("in all     delivered 0.75 = 3/4; answered 0.75 = 3/4");
  });
});
