import { expect, it } from "vitest";
import { buildNetwork } from "../../../src/cluster/build/network.ts";
import { loadTopology } from "../../../src/topology/load/load.ts";
import { builtInTopology, readSources } from "../../../src/topology/load/source.ts";
import { send } from "../../../src/trace/send.ts";
import { topologyView } from "../../../src/web/server/topology-view.ts";
import { changesBetween } from "../../../src/web/view/changes.ts";
import { columnsFor, mapLayout } from "../../../src/web/view/map-layout.ts";
import { Places } from "../../../src/web/view/places.ts";
import { ruleLines, searchLines } from "../../../src/web/view/rule-lines.ts";
import { stepsAt, stepsOf } from "../../../src/web/view/steps.ts";

const { model } = loadTopology(readSources([builtInTopology()]));
const cluster = buildNetwork(model, { seed: 1 });
const trace = send(cluster, { from: "pod/client", to: "svc/nginx:80" });
const steps = stepsOf(trace);

it("every event is told once, a walk through rules as one step", () => {
  expect(steps).toHaveLength(trace.events.filter(({ type }) => type !== "rule").length);
  expect(steps.map(({ index }) => index)).toEqual(steps.map((_, i) => i));
});

it("less detail leaves steps out and changes none", () => {
  const [brief, normal, every] = (["brief", "normal", "every"] as const).map((level) =>
    stepsAt(steps, level),
  );
  expect(every).toEqual(steps);
  expect(normal!.length).toBeGreaterThan(brief!.length);
  expect(brief!.every((step) => normal!.includes(step))).toBe(true);
});

it("the way in words", () => {
  const words = stepsAt(steps, "brief").map((step) => step.words.replace(/\d+\.\d+\.\d+\.\d+/g, "A"));
  expect(words[0]).toMatch(/^A socket sends: tcp A:\d+ > A:80/);
  expect(words).toContainEqual(expect.stringMatching(/^Destination address translated: A:80 → A:80$/));
  expect(words).toContainEqual(expect.stringMatching(/^flannel0 puts it into another packet/));
  expect(words.at(-1)).toMatch(/^Delivered to the socket that asked/);
});

it("flannel packs a packet before the outer one goes out", () => {
  const packed = steps.findIndex(({ kind, words }) => kind === "tunnel" && words.includes("puts it into"));
  const outer = steps.findIndex(({ kind, outer: isOuter }) => kind === "origin" && isOuter);
  expect(packed).toBeLessThan(outer);
});

it("every step of the request has a place, and its way is along the axes", () => {
  const view = topologyView(cluster);
  for (const width of [390, 1440]) {
    const columns = columnsFor(view.nodes.length, width);
    const layout = mapLayout(view, { columns, expanded: new Set(), pinned: new Set() });
    const places = new Places(layout);
    const own = steps.filter(({ of }) => of === "request");
    expect(own.filter(({ netns, device }) => places.of(netns, device) === null)).toEqual([]);
    const way = places.wayThrough(own);
    expect(way.slice(1).every(({ x, y }, i) => x === way[i]!.x || y === way[i]!.y)).toBe(true);
    expect(way.every(({ x, y }) => x >= 0 && x <= layout.width && y >= 0 && y <= layout.height)).toBe(true);
  }
});

it("marks the rules that matched, by table, chain and number", () => {
  const lines = ruleLines(cluster.node("srv-k8s-node1").netns.netfilter.save(), "srv-k8s-node1", trace);
  const wanted = new Set(
    trace.rules
      .filter(({ netns }) => netns === "srv-k8s-node1")
      .map(({ table, chain, rule }) => `${table} ${chain} ${rule}`),
  );
  const matched = lines.filter((line) => line.matched.some((role) => role.startsWith("request")));
  expect(new Set(matched.map(({ table, chain, number }) => `${table} ${chain} ${number}`))).toEqual(wanted);
  const dnat = searchLines(lines, "dnat kube-sep", true);
  expect(dnat).toHaveLength(1);
  expect(dnat[0]!.text).toContain(`--to-destination ${trace.delivered!.destination}`);
});

it("nothing has changed between a trace and itself", () => {
  expect(changesBetween(trace, trace)).toEqual([]);
});

it("what a rejected packet lacks, a delivered one has", () => {
  const rejected = send(cluster, { from: "pod/client", to: "svc/no-endpoints:80" });
  const changes = changesBetween(rejected, trace);
  expect(changes[0]).toMatchObject({ what: "verdict", after: "delivered" });
  expect(changes.find(({ what }) => what === "received by")).toEqual({
    what: "received by",
    before: null,
    after: `${trace.delivered!.netns} ${trace.delivered!.container}`,
  });
  const back = changesBetween(trace, rejected);
  const swapped = back.map(({ what, before, after }) => ({ what, before: after, after: before }));
  const sorted = (all: readonly object[]): string[] => all.map((one) => JSON.stringify(one)).sort();
  expect(sorted(swapped.filter(({ what }) => what !== "crosses" && what !== "rule"))).toEqual(
    sorted(changes.filter(({ what }) => what !== "crosses" && what !== "rule")),
  );
});
