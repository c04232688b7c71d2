import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { reachCsv } from "../../../src/analysis/reach/csv.ts";
import { isWorthWorkers, reachInWorkers } from "../../../src/analysis/reach/in-workers.ts";
import { reachJunit } from "../../../src/analysis/reach/junit.ts";
import { reach } from "../../../src/analysis/reach/reach.ts";
import type { Reach } from "../../../src/analysis/reach/result.ts";
import { reachTable } from "../../../src/analysis/reach/table.ts";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../../../src/topology/load/source.ts";
import { podpathLine } from "../../cli/run.ts";
import { SMALL } from "./small-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "podpath-workers-"));
afterAll(() => rmSync(folder, { recursive: true }));
const small = join(folder, "small.yaml");
writeFileSync(small, SMALL);

const FORMATS: readonly ((result: Reach) => string)[] = [
  (result) => reachTable(result, { color: false, failures: false }),
  (result) => JSON.stringify(result, null, 1),
  reachCsv,
  (result) => reachJunit(result, null),
];

const modelOf = (file: string) => loadTopology(readSources([file])).model;

describe("reach in workers", () => {
  it.each(["two-workers", "host-gw"])(
    "says of %s to the letter what one process says",
    async (name) => {
      const model = modelOf(builtInTopology(name));
      const seen: number[] = [];
      const onProgress = (done: number) => void seen.push(done);
      const { result, refused } = await reachInWorkers(model, { workers: 2, seed: 3, onProgress });
      const { result: alone } = reach(buildNetwork(model, { seed: 3 }), { seed: 3 });
      for (const format of FORMATS) expect(format(result)).toBe(format(alone));
      expect(refused).toEqual(buildNetwork(model).refused);
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe(result.targets);
    },
    60_000,
  );

  it("does a shard as one process does, even one without targets", async () => {
    const model = modelOf(small);
    for (const shard of [
      { index: 1, count: 3 },
      { index: 40, count: 50 },
    ])
      expect((await reachInWorkers(model, { workers: 2, shard })).result).toEqual(
        reach(buildNetwork(model, { seed: 1 }), { shard }).result,
      );
  });

  it("finds workers worth it for many pairs only", () => {
    expect(isWorthWorkers(modelOf(small))).toBe(false);
    const [text] = SMALL.split("\n---\n").filter((one) => one.includes("name: web-1,"));
    const many = Array.from({ length: 200 }, (_, i) =>
      text!.replace("web-1,", `more-${i},`).replace("10.244.1.10", `10.244.1.${i + 30}`),
    );
    expect(isWorthWorkers(loadTopology([{ file: "-", text: [SMALL, ...many].join("\n---\n") }]).model)).toBe(
      false,
    );
    const ipvs = "{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: ipvs}";
    expect(
      isWorthWorkers(loadTopology([{ file: "-", text: [SMALL, ...many, ipvs].join("\n---\n") }]).model),
    ).toBe(true);
  });
});

describe("podpath reach --workers", () => {
  it("prints the same whatever the number", async () => {
    const [one, two] = await Promise.all(
      [1, 2].map((workers) => podpathLine(`reach -f ${small} -o json --workers ${workers}`)),
    );
    expect(two).toEqual(one);
    expect(one!.code).toBe(0);
  });

  it.each(["0", "many", "1.5"])("refuses %s", async (workers) => {
    const { code, out, err } = await podpathLine(`reach --workers ${workers}`);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/It is no whole number from 1/);
  });
});
