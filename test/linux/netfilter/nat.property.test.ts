import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIpv4, parseIpv4 } from "../../../src/packet/address.ts";
import {
  ICMP_ECHOREPLY,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Packet,
  TCP_ACK,
  TCP_SYN,
} from "../../../src/packet/packet.ts";
import { buildLab, type Lab } from "../lab.ts";
import { routed } from "../networks.ts";
import { sendRaw } from "../send.ts";

/** Where packets end that nobody answers, so that this test can answer in its own way. */
const QUIET = { rules: { filter: ["-A INPUT -j DROP"] } };

const port = fc.integer({ min: 1, max: 65535 });
const portRange = fc
  .tuple(port, fc.nat({ max: 300 }))
  .map(([from, more]) => `${from}-${Math.min(from + more, 65535)}`);

/** `ADDRESS[:PORT]` of a target, with or without ports. */
const destination = fc
  .tuple(
    fc.constantFrom("10.0.1.1", "10.0.1.1-10.0.1.9", "10.0.1.5"),
    fc.option(fc.oneof(port.map(String), portRange)),
  )
  .map(([address, ports]) => ({ address, ports }));

const dnat = fc.tuple(destination, fc.constantFrom("", " --random", " --persistent")).map(
  ([to, flags]) =>
    (ports: boolean) =>
      `-j DNAT --to-destination ${to.address}${ports && to.ports ? `:${to.ports}` : ""}${flags}`,
);
const snat = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("10.0.1.254", "10.0.1.100-10.0.1.120"),
      fc.option(portRange),
      fc.constantFrom("", " --random", " --random-fully", " --persistent"),
    )
    .map(
      ([address, range, flags]) =>
        (ports: boolean) =>
          `-j SNAT --to-source ${address}${ports && range ? `:${range}` : ""}${flags}`,
    ),
  fc.tuple(fc.option(portRange), fc.constantFrom("", " --random", " --random-fully")).map(
    ([range, flags]) =>
      (ports: boolean) =>
        `-j MASQUERADE${ports && range ? ` --to-ports ${range}` : ""}${flags}`,
  ),
);

interface Rules {
  readonly dnat: (ports: boolean) => string;
  readonly snat: (ports: boolean) => string;
  readonly useDnat: boolean;
  readonly useSnat: boolean;
}
const rules: fc.Arbitrary<Rules> = fc.record({ dnat, snat, useDnat: fc.boolean(), useSnat: fc.boolean() });

/** A router with these rules, for each protocol, between a client and a host that takes every address behind it. */
function translating({ dnat, snat, useDnat, useSnat }: Rules, seed: number): Lab {
  const nat = ["udp", "tcp", "icmp"].flatMap((protocol) => {
    const ports = protocol !== "icmp";
    return [
      ...(useDnat ? [`-A PREROUTING -d 10.96.0.0/16 -p ${protocol} ${dnat(ports)}`] : []),
      ...(useSnat ? [`-A POSTROUTING -o s0 -p ${protocol} ${snat(ports)}`] : []),
    ];
  });
  const others = [2, 3, 4, 5, 6, 7, 8, 9].map((n) => `10.0.1.${n}/24`);
  return buildLab(
    routed({
      c: { ...QUIET, addresses: { eth0: ["10.0.0.1/24", "10.0.0.2/24"] } },
      r: {
        rules: { nat, filter: ["-A FORWARD -m conntrack --ctstate INVALID -j DROP"] },
        ip: [
          ...(useDnat ? [] : ["route add 10.96.0.0/16 via 10.0.1.1"]),
          ...Array.from({ length: 21 }, (_, i) => `addr add 10.0.1.${100 + i}/32 dev s0`),
        ],
      },
      s: { ...QUIET, addresses: { eth0: ["10.0.1.1/24", ...others], lo: ["10.96.0.0/16"] } },
    }),
    seed,
  );
}

const flow = fc.record({
  source: fc.constantFrom("10.0.0.1", "10.0.0.2"),
  destination: fc.constantFrom("10.96.0.1", "10.96.7.7", "10.0.1.1", "10.0.1.3"),
  protocol: fc.constantFrom(IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP),
  sport: fc.oneof(port, fc.constantFrom(1000, 1001, 40000)),
  dport: fc.constantFrom(53, 80, 1000),
});
type Flow = typeof flow extends fc.Arbitrary<infer T> ? T : never;

function request({ source, destination, protocol, sport, dport }: Flow): Packet {
  const p = Object.assign(new Packet(), {
    id: 1,
    protocol,
    src: parseIpv4(source),
    dst: parseIpv4(destination),
  });
  if (protocol === IPPROTO_ICMP) return Object.assign(p, { icmpType: 8, icmpId: sport, payloadLength: 20 });
  return Object.assign(p, {
    sport,
    dport,
    tcpFlags: protocol === IPPROTO_TCP ? TCP_SYN : 0,
    window: 100,
    payloadLength: 0,
  });
}

/** What the receiver of a packet sends back. */
function answer(p: Packet): Packet {
  const reply = p.clone();
  Object.assign(reply, { src: p.dst, dst: p.src, sport: p.dport, dport: p.sport, ttl: 64 });
  if (p.protocol === IPPROTO_ICMP) reply.icmpType = ICMP_ECHOREPLY;
  if (p.protocol === IPPROTO_TCP)
    Object.assign(reply, { tcpFlags: TCP_SYN | TCP_ACK, ack: p.seq + 1, seq: 5000 });
  return reply;
}

/** What has come in by eth0 since there were `from` events, ARP apart. */
const arrived = (lab: Lab, netns: string, from: number): Packet[] =>
  lab.events
    .slice(from)
    .flatMap((e) =>
      e.type === "device" &&
      e.netns === netns &&
      e.device === "eth0" &&
      e.direction === "rx" &&
      e.packet.etherType === 0x0800
        ? [e.packet]
        : [],
    );

const ends = (p: Packet): string =>
  `${formatIpv4(p.src)} ${p.sport} > ${formatIpv4(p.dst)} ${p.dport} ${p.icmpId} ${p.protocol}`;

describe("address translation", () => {
  it("brings every answer back to who asked, from whom he asked", () => {
    fc.assert(
      fc.property(
        rules,
        fc.array(flow, { minLength: 1, maxLength: 6 }),
        fc.integer(),
        (chosen, flows, seed) => {
          const lab = translating(chosen, seed);
          for (const asked of flows) {
            const from = lab.events.length;
            const sent = request(asked);
            sendRaw(lab, "c", sent);
            lab.network.settle();
            const [received] = arrived(lab, "s", from);
            // a range of ports may be used up: then the packet is dropped at the router and nothing is to be shown
            if (received === undefined) continue;
            const before = lab.events.length;
            sendRaw(lab, "s", answer(received));
            lab.network.settle();
            expect(arrived(lab, "c", before).map(ends)).toEqual([ends(answer(sent))]);
          }
        },
      ),
      { numRuns: 250 },
    );
  });

  it("gives two connections that are open at once different looks behind it", () => {
    fc.assert(
      fc.property(
        rules,
        fc.uniqueArray(flow, { minLength: 2, maxLength: 8, selector: (f) => ends(request(f)) }),
        (chosen, flows) => {
          const lab = translating(chosen, 1);
          for (const asked of flows) sendRaw(lab, "c", request(asked));
          lab.network.settle();
          const looks = arrived(lab, "s", 0).map(ends);
          expect(new Set(looks).size).toBe(looks.length);
        },
      ),
      { numRuns: 250 },
    );
  });

  it("translates what an error quotes back into what its receiver had sent", () => {
    fc.assert(
      fc.property(
        rules,
        flow,
        fc.constantFrom([3, 3], [3, 1], [11, 0], [3, 13]),
        fc.constantFrom("10.0.1.1", "10.0.1.77", null),
        (chosen, asked, [type, code], router) => {
          const lab = translating(chosen, 7);
          const sent = request(asked);
          sendRaw(lab, "c", sent);
          lab.network.settle();
          const [received] = arrived(lab, "s", 0);
          if (received === undefined) return;
          const before = lab.events.length;
          const error = Object.assign(new Packet(), {
            id: 2,
            protocol: IPPROTO_ICMP,
            src: router === null ? received.dst : parseIpv4(router),
            dst: received.src,
            icmpType: type,
            icmpCode: code,
            inner: received,
            payloadLength: 28,
          });
          sendRaw(lab, "s", error);
          lab.network.settle();
          const [told] = arrived(lab, "c", before);
          expect(told?.inner ? ends(told.inner) : "nothing").toBe(ends(sent));
          // a translated destination answers in the name that was asked for, whoever complained
          if (sent.dst !== received.dst) expect(told?.src).toBe(sent.dst);
        },
      ),
      { numRuns: 250 },
    );
  });

  it("is the same again with the same seed", () => {
    fc.assert(
      fc.property(
        rules,
        fc.array(flow, { minLength: 1, maxLength: 5 }),
        fc.integer(),
        (chosen, flows, seed) => {
          const stream = () => {
            const lab = translating(chosen, seed);
            for (const asked of flows) sendRaw(lab, "c", request(asked));
            lab.network.advance(4_000_000);
            return JSON.stringify(lab.events);
          };
          expect(stream()).toBe(stream());
        },
      ),
      { numRuns: 200 },
    );
  });
});
