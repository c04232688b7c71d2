import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateTopology } from "../../../src/analysis/generate/generate.ts";
import { DEFAULT_PLAN, type GeneratePlan, PlanError } from "../../../src/analysis/generate/plan.ts";
import { endpointCounts } from "../../../src/analysis/generate/sizes.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";

const textOf = (plan: Partial<GeneratePlan>): string =>
  [...generateTopology({ ...DEFAULT_PLAN, ...plan })].join("");
const load = (plan: Partial<GeneratePlan>) => loadTopology([{ file: "generated.yaml", text: textOf(plan) }]);

const arbitraryPlan = fc
  .record({
    nodes: fc.integer({ min: 1, max: 40 }),
    pods: fc.integer({ min: 1, max: 300 }),
    services: fc.integer({ min: 0, max: 80 }),
    nodePorts: fc.double({ min: 0, max: 1, noNaN: true }),
    localPolicy: fc.double({ min: 0, max: 1, noNaN: true }),
    affinity: fc.double({ min: 0, max: 1, noNaN: true }),
    zones: fc.integer({ min: 1, max: 60 }),
    backend: fc.constantFrom("udp" as const, "vxlan" as const, "host-gw" as const),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    endpoints: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ endpoints, ...plan }) => ({ ...plan, endpointsPerService: 1 + endpoints * (plan.pods - 1) }));

describe("generateTopology", () => {
  it("makes what loads without fault or warning, in the sizes asked for", () => {
    fc.assert(
      fc.property(arbitraryPlan, (plan) => {
        const { model, warnings } = load(plan);
        expect(warnings).toEqual([]);
        expect(model.nodes).toHaveLength(plan.nodes);
        expect(model.pods).toHaveLength(plan.pods);
        expect(model.services).toHaveLength(plan.services);
        expect(new Set(model.nodes.map(({ zone }) => zone)).size).toBe(Math.min(plan.zones, plan.nodes));
        expect(model.flannel.backend.type).toBe(plan.backend);
      }),
      { numRuns: 40 },
    );
  });

  it("gives Services the mean of endpoints asked for while there are pods for it", () => {
    const { model } = load({ nodes: 20, pods: 3000, services: 100, endpointsPerService: 15 });
    const sizes = model.endpointSlices.map(({ endpoints }) => endpoints.length);
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(1500);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
  });

  it("gives node ports, Local policies and affinity to the shares asked for", () => {
    const { model } = load({ pods: 400, services: 200, nodePorts: 0.25, localPolicy: 0.1, affinity: 0.05 });
    const count = (is: (spec: NonNullable<(typeof model.services)[number]["spec"]>) => boolean): number =>
      model.services.filter(({ spec }) => spec !== undefined && is(spec)).length;
    expect(count(({ type }) => type === "NodePort")).toBe(50);
    expect(
      count((spec) => spec.externalTrafficPolicy === "Local" || spec.internalTrafficPolicy === "Local"),
    ).toBe(20);
    expect(count(({ sessionAffinity }) => sessionAffinity === "ClientIP")).toBe(10);
  });

  it("is the same text for the same plan, and another for another seed", () => {
    expect(textOf({ seed: 7 })).toBe(textOf({ seed: 7 }));
    expect(textOf({ seed: 7 })).not.toBe(textOf({ seed: 8 }));
  });

  it("spreads a workload's pods over nodes", () => {
    const { model } = load({ nodes: 10, pods: 100, services: 1, endpointsPerService: 10 });
    const homes = new Set(
      model.pods.filter(({ containers }) => containers[0]!.ports.length > 0).map(({ nodeName }) => nodeName),
    );
    expect(homes.size).toBe(10);
  });

  it.each<[Partial<GeneratePlan>, RegExp]>([
    [{ nodes: 0 }, /^nodes: 0 is no whole number of at least 1/],
    [{ pods: 3, endpointsPerService: 4 }, /endpoints need as many pods, there are 3/],
    [{ endpointsPerService: 0.5 }, /is less than 1/],
    [{ nodePorts: 2 }, /is no share from 0 to 1/],
    [{ pods: 20000, services: 10000, nodePorts: 0.5 }, /5000 Services want a node port/],
    [{ nodes: 200_000, pods: 200_000 }, /do not fit into 10.0.0.0\/9/],
  ])("refuses %j", (plan, message) => {
    expect(() => textOf(plan)).toThrow(PlanError);
    expect(() => textOf(plan)).toThrow(message);
  });
});

describe("endpointCounts", () => {
  it("sums up to the mean asked for, falls with rank and stays within 1 and the pods", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (count, pods, share) => {
          const mean = 1 + share * (pods - 1);
          const counts = endpointCounts(count, mean, pods);
          expect(counts.reduce((a, b) => a + b, 0)).toBe(Math.round(mean * count));
          expect(counts).toEqual([...counts].sort((a, b) => b - a));
          expect(counts[0]).toBeLessThanOrEqual(Math.max(1, pods));
          expect(counts.at(-1)).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });
});
