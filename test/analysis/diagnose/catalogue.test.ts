import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../../src/analysis/diagnose/catalogue.ts";
import { diagnose } from "../../../src/analysis/diagnose/diagnose.ts";
import { builtInTopology } from "../../../src/topology/load/source.ts";
import { diagnoseFailure, failureNames, gist, modelAt } from "./topology.ts";

const ids = CATALOGUE.map(({ id }) => id);

describe("the catalogue", () => {
  it("has a topology of each failure and its mended twin, and none besides", () => {
    expect(failureNames().sort()).toEqual(ids.flatMap((id) => [id, `${id}.mended`]).sort());
  });

  it("names no failure twice", () => {
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.each(ids)("%s", (id) => {
  it("is found where it is, and nothing else", () => {
    const findings = diagnoseFailure(id);
    expect([...new Set(findings.map((finding) => finding.id))]).toEqual([id]);
  });

  it("is proven by the same flow, before and after", () => {
    for (const { evidence, mended, mend } of diagnoseFailure(id)) {
      expect(evidence.outcome).not.toBe(mended?.outcome);
      expect(evidence.trace.request.to).not.toBe("");
      expect(mended).not.toBeNull();
      expect(mend).not.toBe("");
    }
  });

  it("is not found once it is mended, nor is anything else", () => {
    expect(gist(diagnoseFailure(`${id}.mended`))).toEqual([]);
  });
});

describe("the topologies that come with the program", () => {
  it.each([
    [
      "two-workers",
      [
        "error hairpin-off Node/srv-k8s-node1",
        "error hairpin-off Node/srv-k8s-node2",
        "error no-endpoints Service/no-endpoints",
        "warning service-cidr-overlap Cluster",
        "info double-masquerade Node/srv-k8s-node1",
        "info double-masquerade Node/srv-k8s-node2",
        "info source-lost Service/my-second-service",
        "info source-lost Service/nginx-service",
      ],
    ],
    [
      "seed",
      [
        "error hairpin-off Node/srv-k8s-node2",
        "warning service-cidr-overlap Cluster",
        "info source-lost Service/my-second-service",
        "info source-lost Service/nginx-service",
        "info source-lost Service/nginx-services",
      ],
    ],
    [
      "vxlan",
      ["error hairpin-off Node/worker1", "error hairpin-off Node/worker2", "info source-lost Service/nginx"],
    ],
    [
      "host-gw",
      [
        "error hairpin-off Node/worker1",
        "error hairpin-off Node/worker2",
        "info double-masquerade Node/worker1",
        "info double-masquerade Node/worker2",
        "info source-lost Service/nginx",
      ],
    ],
  ])("%s", (name, expected) => {
    expect(gist(diagnose(modelAt(builtInTopology(name))))).toEqual(expected);
  });
});
