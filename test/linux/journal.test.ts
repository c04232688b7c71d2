import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SimulatedCluster } from "../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../src/cluster/build/network.ts";
import { Journal } from "../../src/linux/journal.ts";
import type { NetworkEvent } from "../../src/linux/recorder.ts";
import { parseIpv4 } from "../../src/packet/address.ts";
import { loadTopology } from "../../src/topology/load/load.ts";
import { readSources } from "../../src/topology/load/source.ts";
import { send } from "../../src/trace/send.ts";
import { differences, fingerprint } from "./fingerprint.ts";

describe("a journal", () => {
  it("puts fields and elements back, whatever became of them", () => {
    const journal = new Journal();
    const object = { a: 1, list: [1, 2, 3] };
    journal.keep(object);
    journal.keep(object.list);
    const { list } = object;
    list.length = 0;
    list.push(9);
    object.a = 2;
    journal.keep(object);
    object.list = [];
    journal.rollback();
    expect(object).toEqual({ a: 1, list: [1, 2, 3] });
    expect(object.list).toBe(list);
  });

  it("puts tables back in their order", () => {
    const operation = fc.record({ key: fc.nat(6), value: fc.nat(), remove: fc.boolean() });
    const law = (before: number[], operations: { key: number; value: number; remove: boolean }[]): void => {
      const map = new Map(before.map((key) => [key, key]));
      const set = new Set(before);
      const journal = new Journal();
      for (const { key, value, remove } of operations) {
        if (remove) {
          journal.delete(map, key);
          journal.delete(set, key);
          map.delete(key);
          set.delete(key);
        } else {
          journal.set(map, key);
          journal.set(set, key);
          map.set(key, value);
          set.add(key);
        }
      }
      journal.rollback();
      expect([...map]).toEqual([...new Map(before.map((key) => [key, key]))]);
      expect([...set]).toEqual([...new Set(before)]);
    };
    fc.assert(fc.property(fc.array(fc.nat(6)), fc.array(operation), law));
  });
});

/** What remembers something from packet to packet, on every node; all goes on to the chains that are there. */
const REMEMBERING = `*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m limit --limit 2/sec --limit-burst 3 -j MARK --set-xmark 0x10/0x10
-A PREROUTING -m statistic --mode nth --every 3 --packet 1 -j MARK --set-xmark 0x20/0x20
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m quota --quota 2000 -j MARK --set-xmark 0x40/0x40
-A PREROUTING -m recent --name SEEN --update --seconds 2 --hitcount 2 --reap --rsource -j MARK --set-xmark 0x80/0x80
-A PREROUTING -m recent --name SEEN --set --rsource
-A PREROUTING -m recent --name GONE --remove --rdest
-A PREROUTING -m recent --name GONE --set --rdest
-A PREROUTING -m nfacct --nfacct-name all
-A PREROUTING -m mark --mark 0x20/0x20 -j CONNMARK --save-mark
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -m mark --mark 0x40/0x40 -p tcp -j MASQUERADE --random-fully
COMMIT
`;

interface Step {
  readonly from: number;
  readonly to: number;
  readonly protocol: number;
  readonly size: number;
  readonly ttl: number;
  readonly port: number;
  readonly waitUs: number;
}

const steps = (maxLength: number) =>
  fc.array(
    fc.record<Step>({
      from: fc.nat(1000),
      to: fc.nat(1000),
      protocol: fc.nat(5),
      size: fc.constantFrom(0, 40, 1400, 3000),
      ttl: fc.constantFrom(64, 64, 64, 1, 2, 3),
      port: fc.constantFrom(0, 0, 40000, 40001),
      waitUs: fc.constantFrom(0, 0, 1_000, 1_500_000, 40_000_000),
    }),
    { minLength: 1, maxLength },
  );

const PROTOCOLS = ["tcp", "tcp", "udp", "udp", "icmp", "sctp"] as const;

/** Another mode of kube-proxy, and a Service that remembers its clients. */
const proxyMode = (mode: string, selector: string) => ({
  file: "mode.yaml",
  text: `{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: ${mode}}
---
{apiVersion: v1, kind: Service, metadata: {name: sticky}, spec: {selector: {${selector}}, sessionAffinity: ClientIP, ports: [{port: 80}]}}`,
});

const models = [
  ...["two-workers", "vxlan", "host-gw", "seed"].map((name) => readSources([`topologies/${name}.yaml`])),
  [...readSources(["topologies/vxlan.yaml"]), proxyMode("nftables", "app: nginx")],
  [...readSources(["topologies/two-workers.yaml"]), proxyMode("ipvs", "hello: world")],
].map((sources) => loadTopology(sources).model);

interface Scene {
  readonly cluster: SimulatedCluster;
  readonly sources: readonly string[];
  readonly targets: readonly string[];
}

function scene(topology: number, remembering: boolean, tableSize: number): Scene {
  const model = models[topology]!;
  const cluster = buildNetwork(model, { seed: 7 });
  for (const { netns, flannel } of cluster.nodes.values()) {
    if (remembering) netns.netfilter.load(REMEMBERING, { noflush: true });
    netns.sysctl.scalar["net.netfilter.nf_conntrack_max"] = tableSize;
    if (flannel.type === "vxlan" && remembering) Object.assign(flannel.device.options, { learning: true });
  }
  const pods = model.pods.map(({ namespace, name }) => `pod/${namespace}/${name}`);
  const machines = [
    ...model.nodes.map(({ name }) => `node/${name}`),
    ...model.hosts.map(({ name }) => `host/${name}`),
  ];
  const addresses = [
    ...model.pods.map(({ ip }) => ip),
    ...model.nodes.map(({ internalIP }) => internalIP),
    ...model.services.flatMap(({ spec }) => (spec?.clusterIP === "None" ? [] : [spec!.clusterIP!])),
    // nobody's: on the segment, on a pod subnet, and beyond
    "10.1.96.99",
    model.pods[0]!.ip.replace(/\d+$/, "199"),
    "203.0.113.10",
  ];
  const ports = model.services.flatMap(({ spec }) =>
    (spec?.ports ?? []).flatMap(({ port, nodePort }) => [port, nodePort ?? port]),
  );
  const targets = addresses.flatMap((address) =>
    [...new Set([...ports, 53, 9])].map((port) => `${address}:${port}`),
  );
  return { cluster, sources: [...pods, ...machines], targets };
}

/** Sends what the steps say and lets time pass; everything that happened. */
function run({ cluster, sources, targets }: Scene, history: readonly Step[]): NetworkEvent[] {
  const events: NetworkEvent[] = [];
  const { network } = cluster;
  network.recorder = { record: (event) => void events.push(event) };
  for (const { from, to, protocol: p, size, ttl, port, waitUs } of history) {
    const protocol = PROTOCOLS[p]!;
    const target = targets[to % targets.length]!;
    send(cluster, {
      from: sources[from % sources.length]!,
      to: protocol === "icmp" ? target.split(":")[0]! : target,
      protocol,
      ttl,
      ...(protocol === "sctp" ? {} : { size: protocol === "tcp" ? size : Math.max(8, size) }),
      ...(port === 0 || protocol === "icmp" ? {} : { sourcePort: port }),
    });
    if (waitUs > 0) network.advance(waitUs);
  }
  network.recorder = null;
  return events;
}

/** Sends from every sandbox to somebody who is not there, so that packets wait for a neighbour's answer. */
function leaveWaiting({ cluster }: Scene): void {
  for (const { netns, sandbox, model } of cluster.pods()) {
    if (sandbox === null) continue;
    const destination = parseIpv4(model.ip.replace(/\d+$/, "199"));
    netns.sockets.udp.send({ destination, destinationPort: 9, sourcePort: 9, payloadLength: 1 });
    cluster.network.run();
  }
}

describe("a network with a checkpoint", () => {
  const settings = fc.record({
    topology: fc.nat(models.length - 1),
    remembering: fc.boolean(),
    tableSize: fc.constantFrom(262144, 3),
    waiting: fc.boolean(),
    before: steps(4),
    meanwhile: steps(6),
    after: steps(2),
  });

  it("is what it was after a rollback, and goes on as if nothing had been", () => {
    fc.assert(
      fc.property(settings, ({ topology, remembering, tableSize, waiting, before, meanwhile, after }) => {
        const here = scene(topology, remembering, tableSize);
        const { network } = here.cluster;
        run(here, before);
        if (waiting) leaveWaiting(here);
        const was = fingerprint(network);
        network.checkpoint();
        const once = run(here, meanwhile);
        network.rollback();
        expect(differences(was, fingerprint(network)).join("\n")).toBe("");
        network.checkpoint();
        expect(run(here, meanwhile)).toEqual(once);
        network.rollback();
        const there = scene(topology, remembering, tableSize);
        run(there, before);
        if (waiting) leaveWaiting(there);
        expect(run(here, after)).toEqual(run(there, after));
      }),
      { numRuns: 250 },
    );
  }, 120_000);

  it("lets a timer that was stopped meanwhile run after all", () => {
    const { network } = scene(0, false, 1000).cluster;
    let rung = 0;
    const timer = network.clock.schedule(10, () => rung++);
    network.checkpoint();
    timer.cancelled = true;
    network.advance(20);
    network.rollback();
    expect(rung).toBe(0);
    network.advance(20);
    expect(rung).toBe(1);
  });

  it("takes one checkpoint at a time", () => {
    const { network } = scene(0, false, 1000).cluster;
    expect(() => network.rollback()).toThrow(RangeError);
    network.checkpoint();
    expect(() => network.checkpoint()).toThrow(RangeError);
    network.rollback();
    expect(network.journal).toBeNull();
  });
});
