import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatFault, TopologyError } from "../../../src/topology/load/fault.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { parseYaml } from "../../../src/topology/load/yaml.ts";

const FOLDER = new URL("../../../topologies/", import.meta.url);
const NAMES = ["two-workers", "seed", "vxlan", "host-gw"];
const textOf = (name: string) => readFileSync(new URL(`${name}.yaml`, FOLDER), "utf8");
const OBJECTS = NAMES.map((name) => parseYaml(name, textOf(name), []).map(({ value }) => value));

type Path = (string | number)[];

/** Every place in a value, its root apart. */
function places(value: unknown, path: Path = []): Path[] {
  const own = path.length === 0 ? [] : [path];
  if (typeof value !== "object" || value === null) return own;
  const steps: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [...own, ...steps.flatMap(([step, item]) => places(item, [...path, step]))];
}

/** The value with one place replaced, or taken out where the replacement is undefined. */
function replaced(value: unknown, path: Path, replacement: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return replacement;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  copy[step] = replaced(copy[step], rest, replacement);
  if (rest.length === 0 && replacement === undefined) delete copy[step];
  return Array.isArray(copy) ? copy.filter(() => true) : copy;
}

/** Loads, or gives the faults; anything else that is thrown is a fault of the loader. */
function judge(text: string): { faults: string[] } | { pods: number } {
  try {
    return { pods: loadTopology([{ file: "t", text }]).model.pods.length };
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return { faults: error.faults.map(formatFault) };
  }
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    "",
    "default",
    "10.0.0.1",
    "10.1.96.232",
    "10.0.0.0/8",
    "None",
    "srv-k8s-node1",
    "worker1",
  ),
  fc.constantFrom<unknown>(
    0,
    -1,
    1,
    80,
    30088,
    65536,
    1e20,
    true,
    false,
    [],
    {},
    [[]],
    [null],
    { name: "x" },
    "::1",
    "fd00::/64",
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

describe("a damaged topology", () => {
  it("loads or gives messages with line and field, and never anything else", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 4 }),
        (which, changes) => {
          let objects: unknown = OBJECTS[which % OBJECTS.length];
          for (const [place, replacement] of changes) {
            const all = places(objects);
            if (all.length > 0) objects = replaced(objects, all[place % all.length]!, replacement);
          }
          const result = judge(
            (objects as unknown[]).map((one) => JSON.stringify(one ?? null, null, 1)).join("\n---\n"),
          );
          if ("faults" in result) for (const fault of result.faults) expect(fault).toMatch(/^t(:\d+)?: .+/);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("that is cut off or overwritten anywhere does the same", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.nat(),
        fc.nat({ max: 40 }),
        fc.string({ maxLength: 6 }),
        (name, at, length, noise) => {
          const text = textOf(name);
          const start = at % text.length;
          judge(text.slice(0, start) + noise + text.slice(start + length));
          judge(text.slice(0, start));
        },
      ),
      { numRuns: 400 },
    );
  });
});
