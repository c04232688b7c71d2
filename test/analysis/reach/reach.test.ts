import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exploreTrace } from "../../../src/analysis/explore/trace-set.ts";
import { mergeReach } from "../../../src/analysis/reach/merge.ts";
import { reach } from "../../../src/analysis/reach/reach.ts";
import type { Reach } from "../../../src/analysis/reach/result.ts";
import { reachTargets } from "../../../src/analysis/reach/target.ts";
import type { SimulatedCluster } from "../../../src/cluster/build/cluster.ts";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { readSources } from "../../../src/topology/load/source.ts";
import { smallCluster, smallClusterInMode } from "./small-cluster.ts";

/** `from → to protocol: delivered, answered` of every single sender. */
function pairs({ rows, classes }: Reach): string[] {
  return rows
    .flatMap(({ from, to, protocol, delivered, answered }) =>
      classes[from]!.map((name) => `${name} → ${to} ${protocol}: ${delivered}, ${answered}`),
    )
    .sort();
}

/** The same by whole traces, each sender for itself, in a cluster that has just been built. */
function bruteForce(cluster: SimulatedCluster, only: (to: string) => boolean = () => true): string[] {
  const { pods, nodes, hosts } = cluster.model;
  const senders = [
    ...pods.map(({ namespace, name }) => `pod/${namespace}/${name}`),
    ...nodes.map(({ name }) => `node/${name}`),
    ...hosts.map(({ name }) => `host/${name}`),
  ];
  return reachTargets(cluster.model)
    .filter(({ to }) => only(to))
    .flatMap(({ to, protocol }) =>
      senders.map((from) => {
        const { delivered, answered } = exploreTrace(cluster, { from, to, protocol });
        return `${from} → ${to} ${protocol}: ${delivered.probability}, ${answered.probability}`;
      }),
    )
    .sort();
}

const built = (name: string) =>
  buildNetwork(loadTopology(readSources([`topologies/${name}.yaml`])).model, { seed: 1 });

describe("reach", () => {
  it.each(["two-workers", "vxlan", "host-gw"])(
    "says of %s what whole traces of every pair say",
    (name) => {
      expect(pairs(reach(built(name)).result)).toEqual(bruteForce(built(name)));
    },
    120_000,
  );

  it("sends for pods that are equal to the network once", () => {
    const { result, traced } = reach(smallCluster());
    const members = (to: string) =>
      result.rows.filter((row) => row.to === to).map(({ from }) => result.classes[from]!.join(" "));
    expect(members("svc/default/web:80")).toContain(
      "pod/default/client-1-2 pod/default/client-1-3 pod/default/client-1-4 pod/default/twin",
    );
    // an endpoint reaches itself in another way than others do, and hostPort names its pod in every walk
    expect(members("svc/default/web:80")).toContain("pod/default/web-1");
    expect(members("svc/default/web:80")).toContain("pod/default/dns");
    expect(members("svc/default/dns:53")).toContain("pod/default/twin");
    expect(members("pod/default/web-1:80")).toContain("pod/default/web-1");
    expect(traced.flows).toBeLessThan(pairs(result).length);
    expect(pairs(result)).toEqual(bruteForce(smallCluster()));
  });

  it("takes a cluster that has seen packets as it is, every pod for itself", () => {
    const cluster = smallCluster();
    cluster.network.advance(1);
    const { result } = reach(cluster);
    expect(result.classes.every((names) => names.length === 1)).toBe(true);
    expect(pairs(result)).toEqual(bruteForce(smallCluster()));
  });

  it.each(["nftables", "ipvs"] as const)("sends for every pod itself where kube-proxy uses %s", (mode) => {
    const { result } = reach(smallClusterInMode(mode));
    expect(result.classes.every((names) => names.length === 1)).toBe(true);
    expect(pairs(result)).toEqual(bruteForce(smallClusterInMode(mode)));
  });

  /** Rules that tell some senders from others, some in chains that only some packets come to. */
  const condition = fc.oneof(
    fc.constantFrom(
      "-s 10.244.1.3",
      "-s 10.244.1.2/31",
      "! -s 10.244.2.4",
      "-d 10.244.2.10",
      "-s 10.244.0.2/255.255.0.255",
    ),
    fc.constantFrom(
      "-m iprange --src-range 10.244.1.3-10.244.1.20",
      "-m conntrack --ctorigsrc 10.244.1.4",
      "-m recent --set --name A --rsource",
      "-m limit --limit 1/min --limit-burst 1",
      "-m mac --mac-source 02:42:0a:f4:01:03",
      "-m statistic --mode random --probability 0.5",
      "-m addrtype --src-type LOCAL",
    ),
  );
  const target = fc.constantFrom(
    "-j DROP",
    "-j REJECT",
    "-j RETURN",
    "-j ACCEPT",
    "-j MARK --set-xmark 0x1/0x1",
  );
  const rule = fc.tuple(condition, target).map(([c, t]) => `-A PLANTED ${c} ${t}`);
  const planted = fc.record({
    node: fc.constantFrom("n1", "n2"),
    gate: fc.constantFrom("", "-p tcp --dport 80", "-d 10.244.1.0/24", "-s 10.244.1.0/24", "-p udp"),
    hook: fc.constantFrom(
      ["filter", "FORWARD"],
      ["filter", "INPUT"],
      ["mangle", "PREROUTING"],
      ["mangle", "POSTROUTING"],
    ),
    rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
  });

  it("is right whatever the rules tell apart", () => {
    fc.assert(
      fc.property(planted, ({ node, gate, hook: [table, chain], rules }) => {
        const reject = table === "filter" ? rules : rules.map((one) => one.replace("-j REJECT", "-j DROP"));
        const text = `*${table}\n:PLANTED - [0:0]\n-I ${chain} 1 ${gate} -j PLANTED\n${reject.join("\n")}\nCOMMIT\n`;
        const more = new Map([[node, text]]);
        const some = (to: string) => /^svc.*(web|dns)|^pod.*(web-1|dns|twin)|^node.n2:30080/.test(to);
        const told = pairs(reach(smallCluster(more)).result).filter((one) => some(one.split(" ")[2]!));
        expect(told).toEqual(bruteForce(smallCluster(more), some));
      }),
      { numRuns: 25 },
    );
  }, 300_000);

  it("is the same in parts", () => {
    const whole = reach(smallCluster()).result;
    for (const count of [2, 3, 50]) {
      const parts = Array.from({ length: count }, (_, index) => ({
        name: `part ${index}`,
        reach: reach(smallCluster(), { shard: { index, count } }).result,
      }));
      expect(mergeReach(parts.reverse())).toEqual(whole);
    }
  });
});

describe("merge", () => {
  const part = (index: number, count: number, seed = 1) => ({
    name: `${index}.json`,
    reach: reach(smallCluster(), { seed, shard: { index, count } }).result,
  });

  it.each([
    ["nothing", () => [], "there is nothing to merge"],
    ["a part that is missing", () => [part(0, 3), part(2, 3)], "of 3 parts, 1 are missing"],
    ["a part that comes twice", () => [part(0, 2), part(0, 2)], "0.json and 0.json are both part 0"],
    [
      "parts of different counts",
      () => [part(0, 2), part(1, 3)],
      "1.json is one of 3 parts, 0.json one of 2",
    ],
    ["parts of different seeds", () => [part(0, 2), part(1, 2, 7)], "of another cluster or seed"],
  ])("refuses %s", (_what, parts, message) => {
    expect(() => mergeReach(parts())).toThrow(message);
  });
});
