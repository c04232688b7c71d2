import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipTotalLength } from "../../../src/packet/packet.ts";
import { summarize } from "../../../src/packet/summary.ts";
import { buildLab, type Lab } from "../lab.ts";
import { routed } from "../networks.ts";
import { ping, udp } from "../packets.ts";
import { delivered, eventsOf } from "../seen.ts";

const DESTINATION = 0x0a000101;
const TRACKING = { filter: ["-A INPUT -m conntrack --ctstate NEW", "-A FORWARD -m conntrack --ctstate NEW"] };
const tracking = (on: boolean) => (on ? { rules: TRACKING } : {});

const path = fc.record({
  bytes: fc.nat({ max: 12_000 }),
  first: fc.integer({ min: 68, max: 9000 }),
  second: fc.integer({ min: 68, max: 9000 }),
  tracks: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  isPing: fc.boolean(),
});

/** Everybody knows everybody's MAC already: only so many pieces may wait for an answer. */
function pathOf({
  first,
  second,
  tracks: [c, r, s],
}: typeof path extends fc.Arbitrary<infer T> ? T : never): Lab {
  const lab = buildLab(
    routed({
      c: { mtu: { eth0: first }, ...tracking(c) },
      r: { mtu: { c0: first, s0: second }, ...tracking(r) },
      s: { mtu: { eth0: second }, ...tracking(s) },
    }),
  );
  lab.ns("s").sockets.listen({ protocol: "udp", port: 9, respondBytes: 0 });
  lab.ns("c").sockets.ping.send({ destination: DESTINATION, id: 1, sequence: 1, payloadLength: 0 });
  lab.network.settle();
  return lab;
}

describe("fragments", () => {
  it("become the datagram again, for any sizes, MTUs and trackers on the way", () => {
    fc.assert(
      fc.property(path, (way) => {
        const lab = pathOf(way);
        const from = delivered(lab, "s").length;
        const { udp: sockets, ping: pings } = lab.ns("c").sockets;
        const { bytes } = way;
        const common = { destination: DESTINATION, payloadLength: bytes, discovery: "dont" } as const;
        if (way.isPing) pings.send({ ...common, id: 7, sequence: 2 });
        else sockets.send({ ...common, destinationPort: 9, sourcePort: 7 });
        lab.network.settle();
        const sent = { ttl: 63, payloadLength: bytes };
        const whole = way.isPing
          ? ping("10.0.0.1", "10.0.1.1", sent)
          : udp("10.0.0.1:7", "10.0.1.1:9", bytes, sent);
        expect(delivered(lab, "s").slice(from).map(summarize)).toEqual([summarize(whole)]);
        for (const { packet, device, netns } of eventsOf(lab, "device"))
          if (packet.etherType === 0x0800)
            expect(ipTotalLength(packet)).toBeLessThanOrEqual(lab.ns(netns).device(device).mtu);
      }),
      { numRuns: 250 },
    );
  });
});
