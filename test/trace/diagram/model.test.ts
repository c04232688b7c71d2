import { describe, expect, it } from "vitest";
import { diagramOf } from "../../../src/trace/diagram/model.ts";
import type { Trace } from "../../../src/trace/trace.ts";
import { clusterOf, topologyText } from "../cluster.ts";
import { drawn, REQUESTS } from "./fixture.ts";

/** Devices of the drawn ways against what the trace's path says. */
const pathOf = ({ path }: Trace): string[] => path.map(({ netns, device }) => `${netns} ${device}`);

describe("the drawable model of a trace", () => {
  it.each(REQUESTS)("%s: the ways are whole, and the boxes and links are there", (_, request, topology) => {
    const { trace, diagram } = drawn(request, topology);
    const ids = new Set(diagram.boxes.map(({ id }) => id));
    expect(ids.size).toBe(diagram.boxes.length);
    for (const { parent } of diagram.boxes) if (parent !== null) expect(ids).toContain(parent);
    for (const { from, to } of diagram.links) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
    for (const { legs } of diagram.ways)
      for (const { from, to } of legs) expect([from, to].filter((id) => !ids.has(id))).toEqual([]);
    for (const { hops } of diagram.ways)
      for (const { moments } of hops) for (const { at } of moments) expect(ids).toContain(at);
    const numbers = diagram.ways.flatMap(({ hops }) => hops.map(({ number }) => number));
    expect(numbers).toEqual(numbers.map((_number, i) => i + 1));
    const [request_] = diagram.ways;
    const devices = request_!.hops.flatMap(({ netns, devices }) =>
      devices.map(({ device }) => `${netns} ${device}`),
    );
    expect(devices).toEqual(pathOf(trace).filter((place) => devices.includes(place)));
    expect(devices.length).toBeGreaterThan(0);
  });

  it("counts hops by namespace, there and back", () => {
    const { diagram } = drawn({ from: "pod/client", to: "svc/nginx:80" });
    expect(diagram.ways.map(({ role }) => role)).toEqual(["request", "reply"]);
    const [there, back] = diagram.ways.map(({ hops }) => hops);
    expect(there!.map(({ number, netns }) => [number, netns.split("/")[0]])).toEqual([
      [1, "srv-k8s-node1"],
      [2, "srv-k8s-node1"],
      [3, "srv-k8s-node2"],
      [4, "srv-k8s-node2"],
    ]);
    expect(there!.at(-1)!.end).toBe("delivered");
    expect(back!.map(({ netns }) => netns)).toEqual(there!.map(({ netns }) => netns).reverse());
  });

  it("tells of translations before and after, and of the rules that decided", () => {
    const { diagram } = drawn({ from: "pod/client", to: "svc/nginx:80" });
    const moments = diagram.ways[0]!.hops[1]!.moments;
    const changes = moments.flatMap(({ change }) => (change === null ? [] : [change]));
    expect(changes.map(({ what }) => what)).toEqual(["destination", "source"]);
    expect(changes[0]!.before.destination).toBe("192.168.25.10:80");
    const rules = moments.flatMap(({ line }) => line.children.map(({ text }) => text));
    expect(rules.some((text) => text.includes("-j DNAT --to-destination"))).toBe(true);
  });

  it("takes flannel's packet through its daemon, marked as the outer one", () => {
    const { legs } = drawn({ from: "pod/client", to: "svc/nginx:80" }).diagram.ways[0]!;
    expect(legs.filter(({ outer }) => outer).map(({ from, to }) => [from, to])).toEqual([
      ["device:srv-k8s-node1:flannel0", "process:srv-k8s-node1:flanneld"],
      ["process:srv-k8s-node1:flanneld", "device:srv-k8s-node1:ens33"],
      ["device:srv-k8s-node1:ens33", "segment:lan"],
      ["segment:lan", "device:srv-k8s-node2:ens33"],
      ["device:srv-k8s-node2:ens33", "process:srv-k8s-node2:flanneld"],
    ]);
  });

  it("marks the hop where a packet is dropped", () => {
    const { diagram } = drawn({ from: "pod/client", to: "pod/client2", protocol: "icmp", ttl: 3 });
    expect(diagram.ways[0]!.hops.at(-1)).toMatchObject({ netns: "srv-k8s-node2", end: "dropped" });
  });

  it("leaves out pods that nothing crossed, and says how many, or draws the whole cluster", () => {
    const { cluster, trace, diagram } = drawn({ from: "pod/client", to: "svc/nginx:80" });
    const podsOf = ({ boxes }: typeof diagram) => boxes.filter(({ kind }) => kind === "pod").length;
    expect(podsOf(diagram)).toBe(2);
    expect(diagram.boxes.find(({ label }) => label === "srv-k8s-node1")!.details).toEqual(["2 more pods"]);
    const sandboxes = cluster.model.pods.filter(({ hostNetwork }) => !hostNetwork).length;
    expect(podsOf(diagramOf(cluster, trace, { scope: "all" }))).toBe(sandboxes);
    const alone = diagramOf(clusterOf(topologyText()), null);
    expect(podsOf(alone)).toBe(sandboxes);
    expect(alone.ways).toEqual([]);
  });
});
