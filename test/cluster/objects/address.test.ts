import fc from "fast-check";
import { Netmask } from "netmask";
import { describe, expect, it } from "vitest";
import {
  blockText,
  contains,
  encloses,
  isAddress,
  isBlock,
  overlap,
  toBlock,
  toNumber,
  toText,
} from "../../../src/cluster/objects/address.ts";

const number = fc.integer({ min: 0, max: 0xffffffff });
const block = fc
  .tuple(number, fc.integer({ min: 0, max: 32 }))
  .map(([n, length]) => `${toText(n)}/${length}`);

describe("addresses", () => {
  it.each(["0.0.0.0", "255.255.255.255", "10.1.96.232"])("%s is one", (text) =>
    expect(isAddress(text)).toBe(true),
  );
  it.each([
    "010.0.0.1",
    "10.0.0.08",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.4.5",
    "0x1.2.3.4",
    "1.2.3.4 ",
    "",
    "::1",
    "16909060",
    "1.2.3.4/32",
  ])("%j is none", (text) => expect(isAddress(text)).toBe(false));
  it("are numbers and text", () => {
    fc.assert(fc.property(number, (n) => isAddress(toText(n)) && toNumber(toText(n)) === n));
  });
});

describe("blocks", () => {
  it.each(["10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0"])("%s is one", (text) =>
    expect(isBlock(text)).toBe(true),
  );
  it.each([
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/",
    "/8",
    "010.0.0.0/8",
    "10.0.0.0/255.0.0.0",
    "10.0.0.0/8/8",
  ])("%j is none", (text) => expect(isBlock(text)).toBe(false));
  it("are what netmask says", () => {
    fc.assert(
      fc.property(block, number, (text, n) => {
        const mask = new Netmask(text);
        expect(blockText(toBlock(text))).toBe(mask.toString());
        expect(contains(toBlock(text), n)).toBe(mask.contains(toText(n)));
      }),
      { numRuns: 300 },
    );
  });
  it("that overlap enclose one another one way or the other", () => {
    fc.assert(
      fc.property(block, block, (a, b) => {
        const [x, y] = [toBlock(a), toBlock(b)];
        expect(overlap(x, y)).toBe(encloses(x, y) || encloses(y, x));
      }),
    );
  });
});
