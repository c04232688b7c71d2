import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TopologyError } from "../../../src/topology/load/fault.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { readSources } from "../../../src/topology/load/source.ts";

const folder = mkdtempSync(join(tmpdir(), "topology-"));
afterAll(() => rmSync(folder, { recursive: true }));
const node = (name: string) => `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\n`;
writeFileSync(join(folder, "b.yaml"), node("b"));
writeFileSync(join(folder, "a.yml"), node("a"));
writeFileSync(
  join(folder, "c.json"),
  JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name: "c" } }),
);
writeFileSync(join(folder, "notes.txt"), "not read");
mkdirSync(join(folder, "below.yaml.d"));
mkdirSync(join(folder, "empty"));

describe("sources", () => {
  it("reads a folder's YAML and JSON files in order of name", () => {
    const names = readSources([folder]).map(({ file }) => file);
    expect(names).toEqual(["a.yml", "b.yaml", "c.json"].map((name) => join(folder, name)));
    const { model } = loadTopology(readSources([folder]));
    expect(model.nodes.map(({ name, podCIDR }) => `${name} ${podCIDR}`)).toEqual([
      "a 192.168.1.0/24",
      "b 192.168.2.0/24",
      "c 192.168.3.0/24",
    ]);
  });

  it("reads standard input for -, beside files", () => {
    const sources = readSources(["-", join(folder, "b.yaml")], () => Buffer.from(node("x")));
    expect(loadTopology(sources).model.nodes.map(({ name }) => name)).toEqual(["b", "x"]);
    expect(() => loadTopology(readSources(["-"], () => Buffer.from("kind: [")))).toThrow(/^<stdin>:1: /);
  });

  it("names every file it cannot read, and goes on to the next", () => {
    writeFileSync(join(folder, "latin1.yaml.bin"), Buffer.from([0x61, 0xe9]));
    const paths = ["nowhere.yaml", "empty", "latin1.yaml.bin"].map((name) => join(folder, name));
    writeFileSync(join(folder, "bad.txt"), "kind: 1");
    try {
      loadTopology(readSources([...paths, join(folder, "bad.txt")]));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(TopologyError);
      expect((error as Error).message.replaceAll(`${folder}/`, "").split("\n")).toEqual([
        "nowhere.yaml: no such file or folder",
        "empty: no .yaml, .yml or .json file in this folder",
        "latin1.yaml.bin: is not UTF-8 text",
        "bad.txt:1: kind: expected a string, got 1",
      ]);
    }
  });

  it("gives faults as data too", () => {
    const text = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: 0}]\n";
    try {
      loadTopology([{ file: "t.yaml", text }]);
      expect.unreachable();
    } catch (error) {
      expect((error as TopologyError).faults).toEqual([
        {
          file: "t.yaml",
          line: 5,
          path: "spec.ports[0].port",
          object: "Service/web",
          message: "0 is outside 1-65535",
        },
      ]);
    }
  });
});
