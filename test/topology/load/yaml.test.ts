import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Fault, formatFault } from "../../../src/topology/load/fault.ts";
import { lineOf } from "../../../src/topology/load/locate.ts";
import { parseYaml } from "../../../src/topology/load/yaml.ts";
import { join, messagesOf, modelOf, NODES, pod } from "./documents.ts";

function parse(text: string): { values: unknown[]; messages: string[] } {
  const faults: Fault[] = [];
  const values = parseYaml("t.yaml", text, faults).map(({ value }) => value);
  return { values, messages: faults.map(formatFault) };
}

describe("values", () => {
  it.each([
    [
      "text, numbers, truth",
      "{a: x, b: 1, c: 1.5, d: true, e: '1', f: 0x10}",
      { a: "x", b: 1, c: 1.5, d: true, e: "1", f: 16 },
    ],
    ["a null in a mapping is an absent key", "{a: null, b: ~, c: , d: 1}", { d: 1 }],
    ["words of YAML 1.1 are text", "{a: yes, b: on, c: 12:30}", { a: "yes", b: "on", c: "12:30" }],
    ["tags of YAML's core", "{a: !!str 1, b: !!int '2', c: ! 3}", { a: "1", b: 2, c: "3" }],
    ["an alias", "{a: &x {b: 1}, c: *x}", { a: { b: 1 }, c: { b: 1 } }],
    [
      "a merge key, whose keys yield",
      "{a: &x {b: 1, c: 2}, d: {<<: *x, c: 3}}",
      { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } },
    ],
    ["several merged, the first wins", "{a: {<<: [{b: 1}, {b: 2, c: 3}]}}", { a: { b: 1, c: 3 } }],
    ["a merge key in quotes is a key", "{a: {'<<': 1}}", { a: { "<<": 1 } }],
    ["JSON", '{"a": [1, "x\\u0041", null, {}]}', { a: [1, "xA", null, {}] }],
    ["keys that are numbers are text", "{80: a}", { "80": "a" }],
  ])("%s", (_, text, value) => {
    expect(parse(text)).toEqual({ values: [value], messages: [] });
  });

  it("reads any JSON as JSON does, but for nulls in mappings and __proto__", () => {
    const isPlain = (value: unknown): boolean => {
      if (Array.isArray(value)) return value.every(isPlain);
      if (typeof value !== "object" || value === null) return true;
      return Object.entries(value).every(
        ([key, item]) => key !== "__proto__" && key !== "<<" && item !== null && isPlain(item),
      );
    };
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }).filter((value) => value !== null && isPlain(value)),
        (value) => {
          expect(parse(JSON.stringify(value))).toEqual({
            values: [JSON.parse(JSON.stringify(value))],
            messages: [],
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("splits documents, each with its own anchors", () => {
    const text = "# head\n---\na: &x 1\n---\n---\nb: 2\n...\n---\nc: *x\n";
    expect(parse(text)).toEqual({
      values: [{ a: 1 }, { b: 2 }],
      messages: ["t.yaml:9: the alias *x has no anchor &x before it"],
    });
  });

  it("leaves a file with directives in one piece", () => {
    const text = "%YAML 1.2\n---\na: 1\n---\nb: 2\n";
    expect(parse(text).values).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it("reads past a byte order mark and carriage returns", () => {
    expect(parse("\ufeffa: 1\r\nb: 2\r\n").values).toEqual([{ a: 1, b: 2 }]);
  });
});

describe("what text may try", () => {
  /** Each level stands for ten of the one before. */
  const bomb = (levels: number) => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i <= levels; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    return lines.join("\n");
  };

  it("refuses a billion laughs at once", () => {
    const start = performance.now();
    expect(parse(bomb(30)).messages).toEqual(["t.yaml:6: aliases stand for more than 1000000 nodes"]);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it("counts the aliases of all documents of a file together", () => {
    const text = Array(200).fill(bomb(3)).join("\n---\n");
    expect(parse(text).messages).toEqual(["t.yaml:409: aliases stand for more than 1000000 nodes"]);
  });

  it("allows the aliases people write", () => {
    expect(parse(bomb(2)).messages).toEqual([]);
  });

  it("refuses an alias inside its own anchor", () => {
    expect(parse("a: &a [*a]").messages).toEqual(["t.yaml:1: the alias *a has no anchor &a before it"]);
  });

  it("refuses nesting without end", () => {
    const { messages } = parse("[".repeat(5000) + "]".repeat(5000));
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(/depth/i);
  });

  it("does nothing for __proto__, constructor and prototype keys", () => {
    const { values } = parse(
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "a": 1}',
    );
    expect(Object.keys(values[0] as object)).toEqual(["constructor", "a"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(values[0])).toBe(Object.prototype);
    const more = "__proto__: {nodeName: nowhere}\n";
    const model = modelOf(NODES, pod("p", more, "__proto__: {hostNetwork: true}, containers: [{name: c}]"));
    expect(model.pods[0]).toMatchObject({ nodeName: "node1", hostNetwork: false });
    expect(messagesOf(join(NODES, "apiVersion: v1\nkind: __proto__\nmetadata: {name: x}\n"))).toEqual([]);
    expect(
      messagesOf(join(NODES, "apiVersion: v1\nkind: constructor\nmetadata: {name: toString}\n")),
    ).toEqual([]);
  });
});

describe("lines", () => {
  const text =
    "# head\n---\na:\n  b: 1\n  c:\n    - x\n    - d: 2\n      'e f': 3\n---\ng: {h: [1,\n  2]}\ni: &j {k: 1}\nl: *j\n";
  const [first, second] = parseYaml("t.yaml", text, []);
  it.each([
    [first!, ["a"], 3],
    [first!, ["a", "b"], 4],
    [first!, ["a", "c", 0], 6],
    [first!, ["a", "c", 1], 7],
    [first!, ["a", "c", 1, "e f"], 8],
    [first!, ["a", "missing", "deeper"], 3],
    [first!, [], 3],
    [second!, ["g", "h", 1], 11],
    [second!, ["l", "k"], 13],
  ])("of %# are where the key stands", (document, path, line) => {
    expect(lineOf(document, path)).toBe(line);
  });
});
