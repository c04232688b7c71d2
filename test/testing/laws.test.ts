import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildCluster,
  cluster,
  compiledEqualsWalked,
  everyReadyEndpointReachable,
  flow,
  history,
  loadIsUniform,
  natIsInvertible,
  noPacketLoops,
  packet,
  sourcePreservedUnderLocalPolicy,
  zeroLossDuring,
} from "../../src/testing/index.ts";

const RUNS = { numRuns: 60 };

describe("laws of every cluster", () => {
  it("reaches every ready endpoint of a Service from every pod", () => {
    fc.assert(
      fc.property(cluster({ unreadyPods: true }), (spec) => everyReadyEndpointReachable(buildCluster(spec))),
      RUNS,
    );
  });

  it("spreads a Service's load evenly", () => {
    fc.assert(
      fc.property(cluster({ unreadyPods: true }), (spec) => loadIsUniform(buildCluster(spec))),
      RUNS,
    );
  });

  it("translates answers back to the address that was asked", () => {
    const asked = cluster().chain((spec) => fc.tuple(fc.constant(spec), flow(spec)));
    fc.assert(
      fc.property(asked, ([spec, request]) => natIsInvertible(buildCluster(spec), request)),
      RUNS,
    );
  });

  it("lets no packet circulate, whatever the settings", () => {
    const asked = cluster({ anySettings: true }).chain((spec) => fc.tuple(fc.constant(spec), flow(spec)));
    fc.assert(
      fc.property(asked, ([spec, request]) => noPacketLoops(buildCluster(spec), request)),
      RUNS,
    );
  });

  it("shows servers the client's address under the Local policy", () => {
    fc.assert(
      fc.property(cluster(), (spec) => sourcePreservedUnderLocalPolicy(buildCluster(spec))),
      RUNS,
    );
  });

  it("looks rules up as if it had walked them", () => {
    const asked = cluster().chain((spec) =>
      fc.tuple(fc.constant(spec), fc.array(packet(spec), { minLength: 1, maxLength: 10 })),
    );
    fc.assert(
      fc.property(asked, ([spec, packets]) => compiledEqualsWalked(buildCluster(spec), packets)),
      RUNS,
    );
  });

  it("loses no new flow while pods come, go and change readiness", () => {
    fc.assert(
      fc.property(cluster({ maxPods: 4 }), history(), (spec, operations) => zeroLossDuring(spec, operations)),
      RUNS,
    );
  });
});

describe("clusters made for tests", () => {
  it("all load and build, whatever their settings", () => {
    fc.assert(
      fc.property(cluster({ anySettings: true, unreadyPods: true }), (spec) => {
        expect(buildCluster(spec).model.pods).toHaveLength(spec.pods.length);
      }),
      RUNS,
    );
  });
});
