import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c, fold, internetChecksum, pseudoHeaderSum } from "../../src/packet/checksum.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("the Internet checksum", () => {
  it.each([
    ["nothing", "", 0xffff],
    ["zeros", "0000 0000", 0xffff],
    ["ones", "ffff ffff", 0],
    ["the example of RFC 1071", "0001 f203 f4f5 f6f7", 0x220d],
    ["an odd number of bytes", "0001 f2", 0x0dfe],
    ["an IPv4 header", "4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7", 0xb861],
  ])("of %s", (_, text, checksum) => {
    expect(internetChecksum(hex(text))).toBe(checksum);
  });

  it("covers the range asked for, and a pseudo header", () => {
    const bytes = hex("ffff 0001 f203 f4f5 f6f7 ffff");
    expect(internetChecksum(bytes, 2, 10)).toBe(0x220d);
    const initial = pseudoHeaderSum(0xc0a80001, 0xc0a800c7, 17, 8);
    expect(fold(initial)).toBe(0xc0a8 + 0x0001 + 0xc0a8 + 0x00c7 + 17 + 8 - 0xffff);
    expect(internetChecksum(hex(""), 0, 0, initial)).toBe(0xffff - fold(initial));
  });

  it("is 0 over bytes that hold it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 200 }), (bytes) => {
        bytes.fill(0, 0, 2);
        const checksum = internetChecksum(bytes);
        bytes.set([checksum >>> 8, checksum & 0xff]);
        expect(internetChecksum(bytes)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("CRC32c", () => {
  it.each([
    ["the check string", Buffer.from("123456789").toString("hex"), 0xe3069283],
    ["32 zeros (RFC 3720, B.4)", "00".repeat(32), 0x8a9136aa],
    ["32 ones (RFC 3720, B.4)", "ff".repeat(32), 0x62a8ab43],
  ])("of %s", (_, text, crc) => {
    expect(crc32c(hex(text))).toBe(crc);
  });
});
