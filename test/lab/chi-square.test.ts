import { describe, expect, it } from "vitest";
import { chanceOf, chiSquare } from "../../src/lab/chi-square.ts";

describe("Pearson's test", () => {
  // quantiles from the usual tables
  it.each([
    [3.841, 1, 0.05],
    [10.828, 1, 0.001],
    [5.991, 2, 0.05],
    [18.307, 10, 0.05],
    [29.588, 10, 0.001],
    [67.505, 50, 0.05],
    [4.865, 10, 0.9],
  ])("χ² %f of %i degrees of freedom has p %f", (statistic, freedom, p) => {
    expect(chanceOf(statistic, freedom)).toBeCloseTo(p, 4);
  });

  it("adds up squared deviations", () => {
    const { statistic, freedom } = chiSquare(
      [
        { observed: 60, expected: 50 },
        { observed: 40, expected: 50 },
      ],
      1,
    );
    expect(statistic).toBe(4);
    expect(freedom).toBe(1);
  });

  it("says nothing where nothing can differ", () => {
    expect(chiSquare([{ observed: 7, expected: 7 }], 1).p).toBe(1);
  });
});
