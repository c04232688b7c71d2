import { describe, expect, it } from "vitest";
import { generateRestore } from "../../../src/cluster/kube-proxy/restore.ts";
import { normalise, readCases } from "./cases.ts";

const cases = readCases();

describe("what kube-proxy 1.32.3 handed to iptables-restore", () => {
  it.each(cases)("$name", ({ input, expected }) => {
    expect(normalise(generateRestore(input))).toBe(normalise(expected));
  });

  it("is equal in every case", () => {
    const equal = cases.filter(
      ({ input, expected }) => normalise(generateRestore(input)) === normalise(expected),
    );
    console.log(`${equal.length} of ${cases.length} cases equal`);
    expect(equal.length).toBe(cases.length);
  });

  it("is equal to the byte where there is one Service port, whose order is not open", () => {
    const single = cases.filter(
      ({ input }) => input.services.length === 1 && input.services[0]?.spec?.ports?.length === 1,
    );
    const differing = single.filter(({ input, expected }) => generateRestore(input) !== expected);
    expect(single.length).toBeGreaterThan(30);
    expect(differing.map(({ name }) => name)).toEqual([]);
  });
});
