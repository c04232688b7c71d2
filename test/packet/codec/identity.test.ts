import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DecodeError,
  decodeFrame,
  decodeIp,
  encodeFrame,
  encodeIp,
} from "../../../src/packet/codec/index.ts";
import { ipTotalLength, type Packet } from "../../../src/packet/packet.ts";
import * as arbitraries from "../arbitraries.ts";
import { detached } from "../arbitraries.ts";

const RUNS = { numRuns: 300 };

describe("encode and decode are inverses", () => {
  const kinds: [string, fc.Arbitrary<Packet>][] = [
    ["tcp", arbitraries.tcp],
    ["udp", arbitraries.udp],
    ["sctp", arbitraries.sctp],
    ["icmp echo", arbitraries.icmpEcho],
    ["icmp error", arbitraries.icmpError],
    ["other protocol", arbitraries.otherProtocol],
    ["flannel udp", arbitraries.flannelUdp],
    ["vxlan", arbitraries.vxlan],
    ["fragment", arbitraries.fragment],
  ];

  it.each(kinds)("%s, from its IP header on", (_, kind) => {
    fc.assert(
      fc.property(kind, (p) => {
        const bytes = encodeIp(p);
        expect(bytes.length).toBe(ipTotalLength(p));
        const decoded = decodeIp(bytes);
        expect(decoded).toStrictEqual(p);
        expect(encodeIp(decoded)).toStrictEqual(bytes);
      }),
      RUNS,
    );
  });

  it("every kind, as a frame", () => {
    fc.assert(
      fc.property(arbitraries.frame, (p) => {
        const bytes = encodeFrame(p);
        const decoded = decodeFrame(bytes);
        expect(decoded).toStrictEqual(p);
        expect(encodeFrame(decoded)).toStrictEqual(bytes);
      }),
      { numRuns: 600 },
    );
  });

  it("bytes of an ICMP error whose quote ends anywhere, whatever the rest of the quoted packet was", () => {
    fc.assert(
      fc.property(arbitraries.icmpErrorCutAnywhere, (p) => {
        const bytes = encodeIp(p);
        const decoded = decodeIp(bytes);
        expect(encodeIp(decoded)).toStrictEqual(bytes);
        expect(ipTotalLength(decoded.inner!)).toBe(ipTotalLength(p.inner!));
      }),
      { numRuns: 1000 },
    );
  });

  it("a piece of a known datagram comes back with its own bytes, and all pieces make up the datagram", () => {
    fc.assert(
      fc.property(arbitraries.fragments, (pieces) => {
        const datagram = encodeIp(pieces[0]!.datagram!).slice(20);
        const joined = new Uint8Array(datagram.length);
        for (const piece of pieces) {
          const bytes = encodeIp(piece);
          joined.set(bytes.subarray(20), piece.fragOffset);
          expect(decodeIp(bytes)).toStrictEqual(detached(piece));
        }
        expect(joined).toStrictEqual(datagram);
      }),
      RUNS,
    );
  });

  it("padding after a frame is passed over", () => {
    fc.assert(
      fc.property(arbitraries.frame, fc.nat({ max: 46 }), (p, padding) => {
        const bytes = encodeFrame(p);
        const padded = new Uint8Array(bytes.length + padding);
        padded.set(bytes);
        expect(decodeFrame(padded)).toStrictEqual(p);
      }),
      RUNS,
    );
  });
});

describe("what is no packet is refused, and in no other way than by a DecodeError", () => {
  const decodeOrError = (bytes: Uint8Array): Packet | null => {
    try {
      return decodeFrame(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      expect(error.offset).toBeGreaterThanOrEqual(0);
      expect(error.offset).toBeLessThanOrEqual(bytes.length);
      return null;
    }
  };

  it("a frame cut anywhere", () => {
    fc.assert(
      fc.property(arbitraries.frame, fc.nat(), (p, n) => {
        const bytes = encodeFrame(p);
        expect(decodeOrError(bytes.subarray(0, n % bytes.length))).toBeNull();
      }),
      RUNS,
    );
  });

  it("a frame with any byte changed is read or refused", () => {
    fc.assert(
      fc.property(arbitraries.frame, fc.nat(), fc.nat({ max: 255 }), (p, n, byte) => {
        const bytes = encodeFrame(p);
        bytes[n % bytes.length] = byte;
        decodeOrError(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("a flipped bit after the Ethernet header never goes unnoticed where a checksum covers it", () => {
    fc.assert(
      fc.property(fc.oneof(arbitraries.tcp, arbitraries.udp, arbitraries.sctp), fc.nat(), (p, n) => {
        const bytes = encodeIp(p);
        const bit = n % (bytes.length * 8);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const decoded = decodeOrError(Uint8Array.from([...new Uint8Array(12), 8, 0, ...bytes]));
        expect(decoded).toBeNull();
      }),
      RUNS,
    );
  });
});
