import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lease } from "../../../src/cluster/flannel/lease.ts";
import { addFlannelUdp } from "../../../src/cluster/flannel/udp/backend.ts";
import { Nic } from "../../../src/linux/device/segment.ts";
import { addAddress, setLinkUp } from "../../../src/linux/ip/address.ts";
import { Network } from "../../../src/linux/network.ts";
import type { NetworkEvent } from "../../../src/linux/recorder.ts";
import { formatIpv4, parseIpv4 } from "../../../src/packet/address.ts";
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, Packet } from "../../../src/packet/packet.ts";

const OWN = lease("192.168.97.0/24", "10.1.96.232");
const OTHER = lease("192.168.96.0/24", "10.1.96.233");

/** A node with flannel that knows one other node, and a machine on the wire that stands for that node. */
function setUp(mtu = 1500) {
  const network = new Network();
  const segment = network.addSegment("lan");
  const [node, peer] = [OWN, OTHER].map(({ publicIP }, i) => {
    const netns = network.addNetns(`node${i + 1}`);
    const nic = new Nic(netns, "ens33", 0x020000000001 + i, mtu, segment);
    addAddress(nic, { local: publicIP, prefixLength: 24 });
    setLinkUp(nic, true);
    return { netns, nic };
  });
  const flannel = addFlannelUdp(node!.netns, { network: "192.168.0.0/16", own: OWN, nic: node!.nic });
  flannel.proxy.setRoute(OTHER);
  const received: Packet[] = [];
  peer!.netns.sockets.udp.bind({
    address: 0,
    port: 8285,
    owner: null,
    receive: ({ packet }) => void received.push(packet),
  });
  const events: NetworkEvent[] = [];
  network.recorder = { record: (event) => void events.push(event) };
  return { network, node: node!.netns, peer: peer!.netns, flannel, received, events };
}

function packet(change: Partial<Packet> = {}): Packet {
  return Object.assign(new Packet(), {
    protocol: IPPROTO_UDP,
    src: parseIpv4("192.168.97.2"),
    dst: parseIpv4("192.168.96.2"),
    sport: 4000,
    dport: 53,
    payloadLength: 10,
    ...change,
  });
}

describe("from the TUN device to the socket", () => {
  it("goes with one TTL less to the lease's node, from port to port, with DF", () => {
    const { network, flannel, received } = setUp();
    flannel.proxy.read(packet(), 1);
    network.settle();
    expect(received).toMatchObject([
      {
        src: OWN.publicIP,
        dst: OTHER.publicIP,
        sport: 8285,
        dport: 8285,
        df: 1,
        ttl: 64,
        payloadLength: 38,
        vni: -1,
        inner: { ttl: 63, dst: OTHER.subnet + 2 },
      },
    ]);
  });

  it.each([
    [1, 0],
    [2, 1],
    // the byte wraps: what came with 0 goes on with 255
    [0, 1],
  ])("with TTL %i sends %i packets", (ttl, count) => {
    const { network, flannel, received } = setUp();
    flannel.proxy.read(packet({ ttl }), 1);
    network.settle();
    expect(received.length).toBe(count);
  });

  it("reports the packet inside under its own number, the one outside under another", () => {
    const { network, flannel, events } = setUp();
    flannel.proxy.read(packet(), 7);
    network.settle();
    expect(events.find(({ type }) => type === "tunnel")).toMatchObject({
      action: "encapsulate",
      serial: 7,
      device: "flannel0",
    });
    const origin = events.find((event) => event.type === "origin" && event.kind === "daemon");
    expect(origin).toMatchObject({ cause: 7 });
    expect(origin?.serial).not.toBe(7);
  });

  it("leaves the packet it read as it was", () => {
    const { flannel } = setUp();
    const read = packet();
    flannel.proxy.read(read, 1);
    expect(read.ttl).toBe(64);
  });
});

describe("without a route", () => {
  const written = (change: Partial<Packet>): Packet[] => {
    const { network, flannel, events } = setUp();
    flannel.proxy.read(packet({ dst: parseIpv4("192.168.95.7"), ...change }), 1);
    network.settle();
    return events.flatMap((event) =>
      event.type === "device" && event.device === "flannel0" ? [event.packet] : [],
    );
  };

  it("answers net unreachable from flannel0's address with TTL 8, quoting 28 bytes of what was sent", () => {
    expect(written({ ttl: 1 })).toMatchObject([
      {
        protocol: IPPROTO_ICMP,
        icmpType: 3,
        icmpCode: 0,
        src: OWN.subnet,
        dst: parseIpv4("192.168.97.2"),
        ttl: 8,
        id: 0,
        df: 0,
        payloadLength: 28,
        inner: { ttl: 1, dport: 53 },
      },
    ]);
  });

  it.each([
    ["about ICMP", { protocol: IPPROTO_ICMP, icmpType: 8 }, 0],
    ["about a later fragment", { fragOffset: 1480 }, 0],
    ["about a first fragment", { mf: 1 }, 1],
    ["about TCP", { protocol: IPPROTO_TCP }, 1],
  ])("%s: %o gets %i answers", (_, change, count) => {
    expect(written(change).length).toBe(count);
  });
});

describe("from the socket to the TUN device", () => {
  /** Sends a packet in a datagram, as the other node's daemon would. */
  function receive(change: Partial<Packet>, mtu?: number) {
    const set = setUp(mtu);
    const inner = packet({ src: parseIpv4("192.168.96.2"), dst: parseIpv4("192.168.97.2"), ...change });
    set.peer.sockets.udp.send({
      destination: OWN.publicIP,
      destinationPort: 8285,
      sourcePort: 8285,
      payloadLength: 28 + inner.payloadLength,
      inner,
      cause: 9,
    });
    set.network.settle();
    return set.events.filter((event) => event.type === "device" && event.device === "flannel0");
  }

  it("comes out with one TTL less and its own number", () => {
    expect(receive({})).toMatchObject([{ direction: "rx", link: "raw", serial: 9, packet: { ttl: 63 } }]);
  });

  it("does not come out when its TTL was 1", () => {
    expect(receive({ ttl: 1 })).toEqual([]);
  });

  it("comes out whatever its destination", () => {
    expect(receive({ dst: parseIpv4("8.8.8.8") }).length).toBe(1);
  });

  it("does not come out when the datagram holds no packet", () => {
    const { network, peer, events } = setUp();
    peer.sockets.udp.send({
      destination: OWN.publicIP,
      destinationPort: 8285,
      sourcePort: 1,
      payloadLength: 40,
    });
    network.settle();
    expect(events.some((event) => event.type === "device" && event.device === "flannel0")).toBe(false);
  });
});

describe("the proxy's routes", () => {
  it("of one subnet have the last next hop", () => {
    const { network, flannel, events } = setUp();
    flannel.proxy.setRoute({ ...OTHER, publicIP: parseIpv4("10.1.96.231") });
    flannel.proxy.read(packet(), 1);
    network.settle();
    const origin = events.find((event) => event.type === "origin" && event.kind === "daemon");
    expect(origin?.type === "origin" ? formatIpv4(origin.packet.dst) : null).toBe("10.1.96.231");
  });

  it("lead where the leases say, whatever came and went before", () => {
    const subnet = fc.integer({ min: 1, max: 6 });
    const step = fc.record({ subnet, host: fc.integer({ min: 1, max: 250 }), add: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.array(subnet, { maxLength: 10 }), (steps, asked) => {
        const { network, flannel, events } = setUp();
        flannel.proxy.deleteRoute(OTHER);
        const expected = new Map<number, string>();
        for (const { subnet: n, host, add } of steps) {
          const one = lease(`192.168.${n}.0/24`, `10.1.96.${host}`);
          if (add) {
            flannel.proxy.setRoute(one);
            expected.set(n, `10.1.96.${host}`);
          } else {
            flannel.proxy.deleteRoute(one);
            expected.delete(n);
          }
        }
        for (const n of asked) {
          events.length = 0;
          flannel.proxy.read(packet({ dst: parseIpv4(`192.168.${n}.5`) }), 1);
          network.run();
          const sent = events.find(
            (event) => event.type === "origin" && event.packet.protocol === IPPROTO_UDP,
          );
          const to = sent?.type === "origin" ? formatIpv4(sent.packet.dst) : null;
          expect(to).toBe(expected.get(n) ?? null);
        }
      }),
      { numRuns: 200 },
    );
  });
});
