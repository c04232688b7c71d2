import fc from "fast-check";
import type { Node, Pod, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { schedule } from "../../../src/cluster/controllers/schedule.ts";
import { node, pod } from "./objects.ts";

const placed = (pods: Pod[], nodes: Node[]) =>
  Object.fromEntries(
    [...schedule(pods, nodes)].map(([key, one]) => [key.split("/")[1], one.nodeName ?? one.message]),
  );

const hostPort = (hostPort: number, more: object = {}): Partial<PodSpec> => ({
  containers: [{ name: "c", ports: [{ containerPort: 80, hostPort, ...more }] }],
});

describe("schedule", () => {
  it("spreads: fewest pods first, then by name", () => {
    const pods = ["1", "2", "3", "4", "5"].map((name) => pod(name));
    expect(placed(pods, [node("b"), node("a")])).toEqual({ 1: "a", 2: "b", 3: "a", 4: "b", 5: "a" });
  });

  it("counts pods that have their node, honours it, and leaves ended ones out", () => {
    const pods = [
      pod("bound", { nodeName: "a", nodeSelector: { no: "where" } }),
      pod("ended", { nodeName: "b" }, { status: { phase: "Succeeded" } }),
      pod("new"),
      pod("gone", {}, { status: { phase: "Failed" } }),
    ];
    expect(placed(pods, [node("a"), node("b")])).toEqual({ new: "b" });
  });

  const tainted = node("a", { spec: { taints: [{ key: "k", value: "v", effect: "NoSchedule" }] } });
  const cases: [string, Partial<PodSpec>, Node[], string][] = [
    [
      "nodeSelector",
      { nodeSelector: { disk: "ssd" } },
      [node("a"), node("b", { metadata: { labels: { disk: "ssd" } } })],
      "b",
    ],
    [
      "labels that the kubelet gives a node",
      { nodeSelector: { "kubernetes.io/os": "linux", "kubernetes.io/hostname": "b" } },
      [node("a"), node("b")],
      "b",
    ],
    [
      "nodeSelector nobody meets",
      { nodeSelector: { disk: "ssd" } },
      [node("a"), node("b")],
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      "unschedulable",
      {},
      [node("a", { spec: { unschedulable: true } }), tainted],
      "0/2 nodes are available: 1 node(s) had untolerated taint {k: v}, 1 node(s) were unschedulable.",
    ],
    [
      "unschedulable, tolerated",
      { tolerations: [{ operator: "Exists" }] },
      [node("a", { spec: { unschedulable: true } })],
      "a",
    ],
    ["a taint tolerated by value", { tolerations: [{ key: "k", value: "v" }] }, [tainted], "a"],
    [
      "a taint tolerated by key",
      { tolerations: [{ key: "k", operator: "Exists", effect: "NoSchedule" }] },
      [tainted],
      "a",
    ],
    [
      "a taint of another value",
      { tolerations: [{ key: "k", value: "w" }] },
      [tainted],
      "0/1 nodes are available: 1 node(s) had untolerated taint {k: v}.",
    ],
    [
      "a taint that only prefers",
      {},
      [node("a", { spec: { taints: [{ key: "k", effect: "PreferNoSchedule" }] } })],
      "a",
    ],
    ["no nodes", {}, [], "no nodes available to schedule pods"],
  ];
  it.each(cases)("%s", (_, spec, nodes, expected) => {
    expect(placed([pod("p", spec)], nodes)).toEqual({ p: expected });
  });

  const affinity = (key: string, operator: string, values?: string[]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] },
          ],
        },
      },
    },
  });
  const nodes = [
    node("a", { metadata: { labels: { size: "3" } } }),
    node("b", { metadata: { labels: { size: "12" } } }),
    node("c"),
  ];
  it.each([
    ["In", ["12"], "b"],
    ["NotIn", ["3"], "b"],
    ["Exists", undefined, "a"],
    ["DoesNotExist", undefined, "c"],
    ["Gt", ["3"], "b"],
    ["Lt", ["10"], "a"],
  ])("node affinity %s %j", (operator, values, expected) => {
    expect(placed([pod("p", affinity("size", operator, values))], nodes)).toEqual({ p: expected });
  });

  it("keeps host ports apart: by number, protocol and address", () => {
    const pods = [
      pod("1", hostPort(80)),
      pod("2", hostPort(80, { protocol: "UDP" })),
      pod("3", hostPort(80, { hostIP: "10.0.0.1" })),
      pod("4", hostPort(81, { hostIP: "10.0.0.1" })),
      pod("5", hostPort(81, { hostIP: "10.0.0.2" })),
      pod("6", hostPort(81)),
    ];
    expect(placed(pods, [node("a")])).toEqual({
      1: "a",
      2: "a",
      3: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
      4: "a",
      5: "a",
      6: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    });
  });

  it("always takes a node with the fewest pods among those that fit", () => {
    const spec = fc.constantFrom<Partial<PodSpec>>({}, { nodeSelector: { zone: "x" } }, hostPort(80), {
      nodeSelector: { zone: "y" },
    });
    fc.assert(
      fc.property(
        fc.array(spec, { maxLength: 40 }),
        fc.array(fc.constantFrom("x", "y"), { minLength: 1, maxLength: 6 }),
        (specs, zones) => {
          const machines = zones.map((zone, i) => node(`n${i}`, { metadata: { labels: { zone } } }));
          const counts = new Map(machines.map((one) => [one.metadata!.name!, 0]));
          const takes80 = new Set<string>();
          const pods = specs.map((one, i) => pod(String(i).padStart(3, "0"), one));
          for (const [key, { nodeName }] of schedule(pods, machines)) {
            const wanted = pods.find((one) => key === `default/${one.metadata!.name}`)!;
            const is80 = wanted.spec?.containers[0]?.ports !== undefined;
            const fits = machines
              .filter(
                (one) =>
                  (wanted.spec?.nodeSelector?.["zone"] ?? one.metadata!.labels!["zone"]) ===
                  one.metadata!.labels!["zone"],
              )
              .map((one) => one.metadata!.name!)
              .filter((name) => !is80 || !takes80.has(name))
              .sort((a, b) => counts.get(a)! - counts.get(b)! || (a < b ? -1 : 1));
            expect(nodeName).toBe(fits[0] ?? null);
            if (nodeName === null) continue;
            counts.set(nodeName, counts.get(nodeName)! + 1);
            if (is80) takes80.add(nodeName);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
