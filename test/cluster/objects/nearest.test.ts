import { describe, expect, it } from "vitest";
import { didYouMean, nearest } from "../../../src/cluster/objects/nearest.ts";

describe("nearest", () => {
  it.each([
    ["serviceCidr", ["serviceCIDR", "segments"], "serviceCIDR"],
    ["adress", ["address", "addresses"], "address"],
    ["hairpni", ["hairpin", "bridge"], "hairpin"],
    ["web", ["db", "cache"], null],
    ["x", ["abcdef"], null],
    ["node1", [], null],
    ["srv-k8s-nod2", ["srv-k8s-node1", "srv-k8s-node2"], "srv-k8s-node2"],
  ])("%s among %j is %s", (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });

  it("says so, or nothing", () => {
    expect(didYouMean("Prot", ["Port", "Type"])).toBe('; did you mean "Port"?');
    expect(didYouMean("colour", ["Port", "Type"])).toBe("");
  });
});
