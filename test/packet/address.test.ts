import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  broadcastOf,
  contains,
  formatIpv4,
  formatMac,
  netmask,
  networkOf,
  parseIpv4,
  parseMac,
  prefixLengthOf,
} from "../../src/packet/address.ts";
import { ipv4Address, macAddress } from "./arbitraries.ts";

const RUNS = { numRuns: 500 };

describe("IPv4 text", () => {
  it.each([
    ["0.0.0.0", 0],
    ["10.1.96.233", 0x0a0160e9],
    ["192.168.96.0", 0xc0a86000],
    ["255.255.255.255", 0xffffffff],
  ])("%s", (text, address) => {
    expect(parseIpv4(text)).toBe(address);
    expect(formatIpv4(address)).toBe(text);
  });

  it.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "256.0.0.1",
    "1.2.3.1000",
    "010.0.0.1",
    "10.0.0.01",
    "00.0.0.0",
    "0x0a.0.0.1",
    "1e1.0.0.1",
    "-1.0.0.1",
    "+1.0.0.1",
    " 10.0.0.1",
    "10.0.0.1\n",
    "10.0.0.1/24",
    "١.2.3.4",
    "localhost",
    "::1",
  ])("refuses %j and names it", (text) => {
    expect(() => parseIpv4(text)).toThrow(new RangeError(`not an IPv4 address: ${JSON.stringify(text)}`));
  });

  it("parses what it formats", () => {
    fc.assert(
      fc.property(ipv4Address, (address) => parseIpv4(formatIpv4(address)) === address),
      RUNS,
    );
  });

  it("formats signed numbers as the unsigned ones with the same bits", () => {
    expect(formatIpv4(-1)).toBe("255.255.255.255");
  });
});

describe("MAC text", () => {
  it.each([
    ["00:00:00:00:00:00", 0],
    ["02:42:c0:a8:60:01", 0x0242c0a86001],
    ["ff:ff:ff:ff:ff:ff", 0xffffffffffff],
  ])("%s", (text, mac) => {
    expect(parseMac(text)).toBe(mac);
    expect(parseMac(text.toUpperCase())).toBe(mac);
    expect(formatMac(mac)).toBe(text);
  });

  it.each([
    "",
    "02:42:c0:a8:60",
    "02:42:c0:a8:60:01:02",
    "2:42:c0:a8:60:01",
    "0242c0a86001",
    "02-42-c0-a8-60-01",
  ])("refuses %j", (text) => {
    expect(() => parseMac(text)).toThrow(new RangeError(`not a MAC address: ${JSON.stringify(text)}`));
  });

  it("parses what it formats", () => {
    fc.assert(
      fc.property(macAddress, (mac) => parseMac(formatMac(mac)) === mac),
      RUNS,
    );
  });
});

describe("blocks", () => {
  it.each([
    [0, "0.0.0.0", "0.0.0.0", "255.255.255.255"],
    [1, "128.0.0.0", "128.0.0.0", "255.255.255.255"],
    [8, "255.0.0.0", "192.0.0.0", "192.255.255.255"],
    [17, "255.255.128.0", "192.168.0.0", "192.168.127.255"],
    [24, "255.255.255.0", "192.168.97.0", "192.168.97.255"],
    [31, "255.255.255.254", "192.168.97.2", "192.168.97.3"],
    [32, "255.255.255.255", "192.168.97.3", "192.168.97.3"],
  ])("/%i of 192.168.97.3", (prefixLength, mask, network, broadcast) => {
    const address = parseIpv4("192.168.97.3");
    expect(formatIpv4(netmask(prefixLength))).toBe(mask);
    expect(netmask(prefixLength)).toBeGreaterThanOrEqual(0);
    expect(prefixLengthOf(netmask(prefixLength))).toBe(prefixLength);
    expect(networkOf(address, prefixLength)).toBe(parseIpv4(network));
    expect(broadcastOf(address, prefixLength)).toBe(parseIpv4(broadcast));
  });

  it.each([-1, 33, 1.5, Number.NaN])("refuses a prefix length of %d", (prefixLength) => {
    expect(() => netmask(prefixLength)).toThrow(RangeError);
  });

  it.each(["0.255.255.255", "255.0.255.0", "255.255.255.253", "0.0.0.1"])("refuses the mask %s", (mask) => {
    expect(() => prefixLengthOf(parseIpv4(mask))).toThrow(
      new RangeError(`not a contiguous IPv4 mask: ${mask}`),
    );
  });

  it.each([
    ["0.0.0.0", 0, "255.255.255.255", true],
    ["192.168.0.0", 16, "192.168.255.255", true],
    ["192.168.0.0", 16, "192.169.0.0", false],
    ["192.168.7.9", 16, "192.168.0.1", true],
    ["128.0.0.0", 1, "127.255.255.255", false],
    ["10.1.96.1", 32, "10.1.96.1", true],
    ["10.1.96.1", 32, "10.1.96.0", false],
  ])("%s/%i contains %s: %s", (network, prefixLength, address, expected) => {
    expect(contains(parseIpv4(network), prefixLength, parseIpv4(address))).toBe(expected);
  });

  it("a block contains exactly what lies between its first and its last address", () => {
    fc.assert(
      fc.property(ipv4Address, fc.nat({ max: 32 }), ipv4Address, (network, prefixLength, address) => {
        const between =
          networkOf(network, prefixLength) <= address && address <= broadcastOf(network, prefixLength);
        expect(contains(network, prefixLength, address)).toBe(between);
      }),
      RUNS,
    );
  });
});
