import fc, { type IRawProperty, type RunDetails } from "fast-check";
import { describe, expect, it } from "vitest";
import { assertInWorkers, checkInWorkers } from "../../src/testing/index.ts";
import { choosy, holds, rare, rareLater } from "./number.properties.ts";
import { unfair } from "./unfair.properties.ts";

const module = new URL("./number.properties.ts", import.meta.url);

/** What a reader of a report sees. */
const told = <Ts>({ errorInstance, runConfiguration, ...details }: RunDetails<Ts>) => ({
  ...details,
  error: (errorInstance as Error | null)?.message,
  numRuns: [details.numRuns, runConfiguration.numRuns],
});

describe("checkInWorkers", () => {
  it.each<[string, IRawProperty<unknown>, number]>([
    ["rare", rare, 8],
    ["rareLater", rareLater, 3],
    ["holds", holds, 1],
  ])("comes to the same as fc.check: %s", async (name, property, seed) => {
    const parameters = { seed, numRuns: 3000 };
    const alone = told(await fc.check(property, parameters));
    for (const workers of [1, 2, undefined])
      expect(
        told(
          await checkInWorkers(
            property,
            { module, name },
            { ...parameters, ...(workers === undefined ? {} : { workers }) },
          ),
        ),
      ).toEqual(alone);
  });

  it("shrinks a cluster as fc.check does", async () => {
    const parameters = { seed: 11, numRuns: 20 };
    const place = { module: new URL("./unfair.properties.ts", import.meta.url), name: "unfair" };
    expect(told(await checkInWorkers(unfair, place, { ...parameters, workers: 2 }))).toEqual(
      told(fc.check(unfair, parameters)),
    );
  });

  it("refuses a property that skips runs", async () => {
    for (const workers of [{ workers: 2 }, {}])
      await expect(
        checkInWorkers(choosy, { module, name: "choosy" }, { seed: 1, ...workers }),
      ).rejects.toThrow(/fc\.pre/);
  });

  it("says that it cannot find the property", async () => {
    await expect(checkInWorkers(rare, { module, name: "noProperty" }, { workers: 2 })).rejects.toThrow(
      /number\.properties\.ts exports no property noProperty/,
    );
  });
});

describe("assertInWorkers", () => {
  it("fails with the report of fc.assert", async () => {
    const parameters = { seed: 8, numRuns: 3000 };
    const message = (error: unknown): string => (error as Error).message;
    const alone = await Promise.resolve()
      .then(() => fc.assert(rare, parameters))
      .catch(message);
    const spread = assertInWorkers(rare, { module, name: "rare" }, { ...parameters, workers: 2 });
    expect(await spread.catch(message)).toBe(alone);
    expect(alone).toMatch(/Property failed after 333 tests/);
  });
});
