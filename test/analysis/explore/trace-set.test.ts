import { describe, expect, it } from "vitest";
import { add, type Fraction, fraction, ONE, ZERO } from "../../../src/analysis/explore/fraction.ts";
import { simpleFraction } from "../../../src/analysis/explore/simple-fraction.ts";
import { renderTraceSet, share } from "../../../src/analysis/explore/text.ts";
import { exploreTrace, type Probability } from "../../../src/analysis/explore/trace-set.ts";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { readSources } from "../../../src/topology/load/source.ts";
import { send } from "../../../src/trace/send.ts";
import { fingerprint } from "../../linux/fingerprint.ts";

const exact = ({ numerator, denominator }: Probability): Fraction =>
  fraction(BigInt(numerator), BigInt(denominator));
const sum = (parts: readonly Probability[]): Fraction => parts.map(exact).reduce(add, ZERO);

const twoWorkers = () =>
  buildNetwork(loadTopology(readSources(["topologies/two-workers.yaml"])).model, { seed: 3 });

/** One Service for each n, with n endpoints on two nodes. */
function manyServices(most: number): string {
  const numbers = Array.from({ length: most }, (_, i) => i + 1);
  const pods = numbers.map((i) => {
    const labels = numbers.filter((n) => n >= i).map((n) => `of-${n}: "yes"`);
    return `{apiVersion: v1, kind: Pod, metadata: {name: p${i}, labels: {${labels.join(", ")}}}, spec: {nodeName: n${i % 2}, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}}`;
  });
  const services = numbers.map(
    (n) =>
      `{apiVersion: v1, kind: Service, metadata: {name: s${n}}, spec: {selector: {of-${n}: "yes"}, ports: [{port: 80}]}}`,
  );
  const nodes = [0, 1].map(
    (i) =>
      `{apiVersion: v1, kind: Node, metadata: {name: n${i}}, status: {addresses: [{type: InternalIP, address: 10.0.0.${i + 1}}]}}`,
  );
  const client =
    "{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {nodeName: n0, containers: [{name: c, image: i}]}}";
  return [...nodes, client, ...pods, ...services].join("\n---\n");
}

/**
 * kube-proxy writes 1/n with ten digits, xt_statistic rounds that to parts of 2^31: each rule is at most 0.5e-10 + 2^-32
 * from 1/n, and so is the product of the rules before it.
 */
const ROUNDING = 2 * (0.5e-10 + 2 ** -32);

describe("every branch of chance", () => {
  it("takes n endpoints with 1/n each, for n from 1 to 50, within the rounding of the rules' digits", () => {
    const { model } = loadTopology([{ file: "many.yaml", text: manyServices(50) }]);
    const cluster = buildNetwork(model);
    for (let n = 1; n <= 50; n++) {
      const { branches } = exploreTrace(cluster, { from: "pod/client", to: `svc/s${n}:80`, reply: false });
      expect(branches).toHaveLength(n);
      expect(sum(branches)).toEqual(ONE);
      const pods = new Set(branches.map(({ trace }) => trace.delivered?.pod));
      expect(pods.size).toBe(n);
      for (const { probability } of branches) expect(Math.abs(probability - 1 / n)).toBeLessThan(ROUNDING);
    }
  });

  it("leaves the cluster as it was", () => {
    const cluster = twoWorkers();
    const before = fingerprint(cluster.network);
    exploreTrace(cluster, { from: "pod/client", to: "svc/nginx:80" });
    expect(fingerprint(cluster.network)).toEqual(before);
    expect(send(cluster, { from: "pod/client", to: "svc/nginx:80" })).toEqual(
      send(twoWorkers(), { from: "pod/client", to: "svc/nginx:80" }),
    );
  });

  it("gives the traces that the same answers give in clusters built anew", () => {
    const request = { from: "pod/client", to: "svc/nginx:80", sourcePort: 40000 } as const;
    const { branches } = exploreTrace(twoWorkers(), request);
    const thresholds: number[] = [];
    const anew = [0, 1, 2, 3].map((endpoint) => {
      const cluster = twoWorkers();
      let asked = 0;
      cluster.network.chooser = {
        chance: (threshold) => {
          thresholds.push(threshold);
          return asked++ === endpoint;
        },
        pick: () => 0,
      };
      return send(cluster, request);
    });
    expect(branches.map(({ trace }) => trace)).toEqual(anew);
    expect(thresholds).toHaveLength(1 + 2 + 3 + 3);
  });

  it("puts equal endings together: a pod that reaches itself is lost one time in four", () => {
    const set = exploreTrace(twoWorkers(), { from: "pod/hello-nginx-14hst", to: "svc/nginx:80" });
    expect(sum(set.outcomes)).toEqual(ONE);
    expect(set.delivered.probability).toBeCloseTo(0.75, 9);
    expect(set.answered).toEqual(set.delivered);
    const text = renderTraceSet(set);
    expect(text).toContain("hairpin is off there");
    expect(text).toContain("in all     delivered 0.75 = 3/4; answered 0.75 = 3/4");
    const alone = exploreTrace(twoWorkers(), { from: "pod/client", to: "svc/no-endpoints:80" });
    expect(alone.branches).toHaveLength(1);
    expect(renderTraceSet(alone)).toContain("always\n  request  rejected");
  });

  it("gives up where there are more branches than wanted, and leaves the cluster as it was", () => {
    const cluster = twoWorkers();
    const { chooser } = cluster.network;
    const explore = () =>
      exploreTrace(cluster, { from: "pod/client", to: "svc/nginx:80" }, { maxBranches: 3 });
    expect(explore).toThrow("more than 3 branches of chance");
    expect(cluster.network.chooser).toBe(chooser);
    expect(cluster.network.journal).toBeNull();
  });
});

describe("a probability for people", () => {
  it.each([
    [1, "1"],
    [0, "0"],
    [0.25, "1/4"],
    [0.33333333349, "≈ 1/3"],
    [2 / 3, "2/3"],
    [1 / 50 + 1e-10, "≈ 1/50"],
    [0.1415926535, null],
  ])("%d is %s", (probability, text) => {
    expect(simpleFraction(probability)).toBe(text);
  });

  it("says always and never", () => {
    expect(share({ probability: 1, denominator: "1" })).toBe("always");
    expect(share({ probability: 0, denominator: "1" })).toBe("never");
    expect(share({ probability: 0.1415926535, denominator: "7" })).toBe("0.1415926535");
  });
});
