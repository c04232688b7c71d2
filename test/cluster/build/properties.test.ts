import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { formatIpv4 } from "../../../src/packet/address.ts";
import { TCP_ACK, TCP_SYN } from "../../../src/packet/packet.ts";
import { build, clusterYaml, connect } from "./fixture.ts";

const flag = fc.constantFrom(0, 1);

/** A cluster with its settings as they come, right or wrong. */
const topology = fc
  .record({
    backend: fc.constantFrom("udp", "vxlan", "host-gw"),
    version: fc.constantFrom("1.32", "1.7"),
    flannelMasq: fc.boolean(),
    ipMasq: fc.boolean(),
    hairpin: fc.boolean(),
    forwardPolicy: fc.constantFrom("ACCEPT", "DROP"),
    mtu: fc.constantFrom(1500, 1400, 576),
    forward: flag,
    bridgeNf: flag,
    rpFilter: fc.constantFrom(0, 1, 2),
    localnet: flag,
    clash: fc.boolean(),
  })
  .map((s) => {
    const yaml = clusterYaml(
      s.backend,
      `  kubeProxy: {version: "${s.version}"}
  node:
    docker: {ipMasq: ${s.ipMasq}, hairpin: ${s.hairpin}, forwardPolicy: ${s.forwardPolicy}, mtu: ${s.mtu}}
    sysctl:
      net.ipv4.ip_forward: ${s.forward}
      net.bridge.bridge-nf-call-iptables: ${s.bridgeNf}
      net.ipv4.conf.all.rp_filter: ${s.rpFilter}
      net.ipv4.conf.all.route_localnet: ${s.localnet}`,
    ).replace("{Network: 192.168.0.0/16,", `{Network: 192.168.0.0/16, ipMasq: ${s.flannelMasq},`);
    return s.clash ? `${yaml}${CLASH}` : yaml;
  });

/** A third node that has the second one's subnet. */
const CLASH = `---
{apiVersion: v1, kind: Node, metadata: {name: node3}, spec: {podCIDR: 192.168.96.0/24}, status: {addresses: [{type: InternalIP, address: 10.1.96.234}]}}
`;

const source = fc.constantFrom("node1/default/a", "node2/default/b", "node1", "node2", "client");

const target = fc.constantFrom(
  "192.168.96.2:80",
  "192.168.97.3:80",
  "192.168.95.1:80",
  "10.96.0.10:80",
  "10.96.0.10:81",
  "10.96.0.99:80",
  "10.1.96.232:30080",
  "10.1.96.233:30080",
  "10.1.96.233:8081",
  "10.1.96.10:8080",
  "127.0.0.1:30080",
  "192.168.96.0:80",
  "192.168.97.255:80",
);

const RUNS = { numRuns: 200 };

describe("whatever the settings", () => {
  it("the answer to a connection comes from the address that was asked", () => {
    let answered = 0;
    fc.assert(
      fc.property(topology, source, target, (yaml, from, to) => {
        const { events } = connect(build(yaml), from, to);
        for (const event of events) {
          if (event.type !== "deliver" || event.netns !== from) continue;
          const { packet } = event;
          if (packet.tcpFlags !== (TCP_SYN | TCP_ACK)) continue;
          answered++;
          expect(`${formatIpv4(packet.src)}:${packet.sport}`).toBe(to);
          expect(packet.dport).toBe(40000);
        }
      }),
      RUNS,
    );
    expect(answered).toBeGreaterThan(20);
  });

  it("no packet goes on for ever", () => {
    fc.assert(
      fc.property(topology, source, target, (yaml, from, to) => {
        const { events } = connect(build(yaml), from, to);
        const crossings = new Map<number, number>();
        for (const { type, serial } of events)
          if (type === "device") crossings.set(serial, (crossings.get(serial) ?? 0) + 1);
        // 64 hops of a handful of devices each, on as many ports as a flood can take
        expect(Math.max(0, ...crossings.values())).toBeLessThan(64 * 8);
      }),
      RUNS,
    );
  });

  it("equal seeds give equal events", () => {
    const happened = (cluster: SimulatedCluster, from: string, to: string) =>
      JSON.stringify(connect(cluster, from, to).events);
    fc.assert(
      fc.property(topology, source, target, fc.integer(), (yaml, from, to, seed) => {
        expect(happened(build(yaml, { seed }), from, to)).toBe(happened(build(yaml, { seed }), from, to));
      }),
      RUNS,
    );
  });
});
