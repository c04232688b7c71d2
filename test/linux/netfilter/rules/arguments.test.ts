import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quoteArgument, splitArguments } from "../../../../src/linux/netfilter/rules/arguments.ts";

const texts = (line: string): string[] => splitArguments(line).map((a) => a.text);

describe("splitting a line into arguments", () => {
  it.each([
    ["-A C -j ACCEPT", ["-A", "C", "-j", "ACCEPT"]],
    ["  -A\tC  ", ["-A", "C"]],
    ['--comment "two words"', ["--comment", "two words"]],
    ['--comment ""', ["--comment", ""]],
    ['--comment "a \\"quoted\\" \\\\ word"', ["--comment", 'a "quoted" \\ word']],
    ['--comment "it\\\'s"', ["--comment", "it's"]],
    ["--comment it's", ["--comment", "it's"]],
    ['"a"b', ["a", "b"]],
    ["a\\b", ["a\\b"]],
    ["", []],
  ])("%j → %j", (line, expected) => {
    expect(texts(line)).toEqual(expected);
  });

  it("gives back whatever was quoted", () => {
    const text = fc.string({ unit: "binary" }).filter((t) => !/[\n\r]/.test(t));
    fc.assert(
      fc.property(fc.array(text), (args) => {
        expect(texts(args.map(quoteArgument).join(" "))).toEqual(args);
      }),
      { numRuns: 500 },
    );
  });

  it("knows where each argument stood", () => {
    const line = '-m x  "a b" c';
    expect(splitArguments(line).map((a) => line.slice(a.start, a.end))).toEqual(["-m", "x", '"a b"', "c"]);
  });
});
