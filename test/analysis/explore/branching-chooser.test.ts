import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  exploreBranches,
  groupBranches,
  totalProbability,
} from "../../../src/analysis/explore/branching-chooser.ts";
import { add, fraction, multiply, ONE, toNumber } from "../../../src/analysis/explore/fraction.ts";
import type { Chooser } from "../../../src/linux/chooser.ts";

const HALF = 2 ** 30;

/** n endpoints as kube-proxy has them: 1/n, 1/(n-1), …, the last without a match. Thresholds are rounded as iptables does. */
const endpointOf =
  (n: number) =>
  (chooser: Chooser): number => {
    for (let i = 0; i < n - 1; i++) if (chooser.chance(Math.round(2 ** 31 / (n - i)))) return i;
    return n - 1;
  };

describe("every branch of chance", () => {
  it("of one toss: yes, then no", () => {
    expect(exploreBranches((chooser) => chooser.chance(HALF / 2))).toMatchObject([
      { probability: fraction(1n, 4n), outcome: true },
      { probability: fraction(3n, 4n), outcome: false },
    ]);
  });

  it.each([
    ["never", 0, false],
    ["always", 2 ** 31, true],
  ])("%s is no branch", (_what, threshold, outcome) => {
    expect(exploreBranches((chooser) => chooser.chance(threshold))).toMatchObject([
      { probability: ONE, outcome },
    ]);
  });

  it("is no branch where one port stands for all", () => {
    const branches = exploreBranches((chooser) => [chooser.pick(65536, "port"), chooser.pick(100, "id")]);
    expect(branches).toHaveLength(1);
    expect(branches).toMatchObject(
      exploreBranches((chooser) => [chooser.pick(65536, "port"), chooser.pick(100, "id")]),
    );
  });

  it("is a branch for every address", () => {
    const branches = exploreBranches((chooser) => chooser.pick(3, "address"));
    expect(branches.map(({ outcome }) => outcome)).toEqual([0, 1, 2]);
    expect(branches.every(({ probability }) => toNumber(probability) === 1 / 3)).toBe(true);
  });

  it.each([1, 2, 3, 7, 100, 400])("finds each of %i endpoints once, about as likely as the others", (n) => {
    const branches = exploreBranches(endpointOf(n));
    expect(branches.map(({ outcome }) => outcome)).toEqual(Array.from({ length: n }, (_, i) => i));
    for (const { probability } of branches) expect(toNumber(probability)).toBeCloseTo(1 / n, 6);
    expect(totalProbability(branches)).toEqual(ONE);
  });

  it("gives up where there are too many", () => {
    const tosses = (chooser: Chooser) => {
      for (let i = 0; i < 10; i++) chooser.chance(HALF);
    };
    expect(exploreBranches(tosses, { maxBranches: 1024 })).toHaveLength(1024);
    expect(() => exploreBranches(tosses, { maxBranches: 1023 })).toThrow(/more than 1023 branches/);
  });
});

/** A program of questions, whose answers decide what is asked next. */
type Program = { threshold: number; yes: Program; no: Program } | { addresses: number } | null;
const { program } = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constant(null),
    fc.record({ addresses: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ threshold: fc.integer({ min: 0, max: 2 ** 31 }), yes: tie("program"), no: tie("program") }),
  ),
}));

function play(what: Program, chooser: Chooser): string {
  if (what === null) return ".";
  if ("addresses" in what) return `a${chooser.pick(what.addresses, "address")}`;
  return chooser.chance(what.threshold) ? `y${play(what.yes, chooser)}` : `n${play(what.no, chooser)}`;
}

describe("whatever is asked", () => {
  it("all paths are different, and their probabilities sum to 1 exactly", () => {
    fc.assert(
      fc.property(program, (what) => {
        const branches = exploreBranches((chooser) => play(what, chooser));
        expect(new Set(branches.map(({ outcome }) => outcome)).size).toBe(branches.length);
        expect(totalProbability(branches)).toEqual(ONE);
        expect(branches.every(({ probability }) => probability.numerator > 0n)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("grouping keeps the sum, and leaves one of each outcome", () => {
    fc.assert(
      fc.property(program, (what) => {
        const branches = exploreBranches((chooser) => play(what, chooser));
        const groups = groupBranches(branches, (outcome) => String(outcome.length % 3));
        expect(totalProbability(groups)).toEqual(ONE);
        expect(groups.length).toBe(new Set(branches.map(({ outcome }) => outcome.length % 3)).size);
      }),
    );
  });
});

describe("fractions", () => {
  it.each([
    ["are in lowest terms", fraction(6n, 8n), { numerator: 3n, denominator: 4n }],
    ["add", add(fraction(1n, 6n), fraction(1n, 3n)), { numerator: 1n, denominator: 2n }],
    ["multiply", multiply(fraction(2n, 3n), fraction(3n, 4n)), { numerator: 1n, denominator: 2n }],
  ])("%s", (_what, got, wanted) => {
    expect(got).toEqual(wanted);
  });

  it("become numbers although their digits fit none", () => {
    expect(toNumber(fraction(3n ** 4000n, 3n ** 4000n * 3n))).toBeCloseTo(1 / 3, 15);
    expect(toNumber(fraction(3n ** 4000n + 1n, 3n ** 4000n * 4n))).toBe(0.25);
  });

  it("have no denominator of zero", () => {
    expect(() => fraction(1n, 0n)).toThrow(RangeError);
  });
});
