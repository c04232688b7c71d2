import { describe, expect, it } from "vitest";
import { indexOfModel } from "../../../src/cluster/objects/model-index.ts";
import { clusterYaml, modelOf } from "../build/fixture.ts";

const model = modelOf(clusterYaml("udp"));
const twin = model.pods.find(({ name }) => name === "a")!;
/** Of collected nodes each may have a pod of the same name. */
const index = indexOfModel({
  ...model,
  pods: [
    ...model.pods,
    { ...twin, nodeName: "node2", ip: "192.168.96.9" },
    { ...twin, name: "agent", nodeName: "node2", ip: "10.1.96.233", hostNetwork: true },
  ],
});

describe("a model's index", () => {
  it.each([
    ["node1/default/a", "192.168.97.2"],
    ["node2/default/a", "192.168.96.9"],
    ["node2/default/a2", undefined],
    ["node2/default/agent", undefined],
    ["node2", undefined],
    ["node9/default/a", undefined],
  ])("knows whose namespace %s is", (netns, ip) => {
    expect(index.podOfNetns(netns)?.ip).toBe(ip);
  });

  it("tells pods of a node from those in its own network", () => {
    expect(index.podsOn("node2").map(({ name }) => name)).toEqual(["b", "a", "agent"]);
    expect(index.hostPods("node2").map(({ name }) => name)).toEqual(["agent"]);
    expect(index.hostPods("node9")).toEqual([]);
  });

  it("finds by name, the first of two", () => {
    expect(index.pod("default", "a")).toBe(twin);
    expect(index.pod("other", "a")).toBeUndefined();
    expect(index.service("default", "b")?.spec?.clusterIP).toBe("10.96.0.10");
  });
});
