import type { PodTemplateSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { applyReplication, replicate } from "../../../src/cluster/controllers/replication.ts";
import type { ObjectStore } from "../../../src/cluster/objects/store.ts";
import { node, pod, storeOf } from "./objects.ts";

const template: PodTemplateSpec = {
  metadata: { name: "ignored", labels: { app: "web" } },
  spec: { containers: [{ name: "c" }] },
};
const meta = { name: "web", namespace: "default" };
const rc = (replicas?: number) => ({
  kind: "ReplicationController" as const,
  metadata: meta,
  spec: { template, ...(replicas === undefined ? {} : { replicas }) },
});
const names = (store: ObjectStore) => replicate(store).pods.map(({ metadata }) => metadata?.name);

describe("replicate", () => {
  it("gives a ReplicationController its pods: named, labelled, owned", () => {
    const { pods } = replicate(storeOf({ replicationControllers: [rc(2)] }));
    expect(pods).toHaveLength(2);
    for (const one of pods) {
      expect(one.metadata?.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz0123456789]{5}$/);
      expect(one.metadata).toMatchObject({
        namespace: "default",
        labels: { app: "web" },
        ownerReferences: [{ kind: "ReplicationController", name: "web", controller: true }],
      });
      expect(one.spec?.nodeName).toBeUndefined();
    }
    expect(new Set(names(storeOf({ replicationControllers: [rc(500)] }))).size).toBe(500);
  });

  it("makes up the same names each time", () => {
    const store = storeOf({ replicationControllers: [rc(3)] });
    expect(names(store)).toEqual(names(store));
  });

  it("gives one replica when the number is not stated, none for 0", () => {
    expect(names(storeOf({ replicationControllers: [rc()] }))).toHaveLength(1);
    expect(names(storeOf({ replicationControllers: [rc(0)] }))).toHaveLength(0);
  });

  it.each([
    ["a pod its selector matches", pod("web-1", {}, { metadata: { labels: { app: "web" } } }), 0],
    [
      "an ended one",
      pod("web-1", {}, { metadata: { labels: { app: "web" } }, status: { phase: "Failed" } }),
      0,
    ],
    [
      "a pod of another namespace",
      pod("web-1", {}, { metadata: { namespace: "other", labels: { app: "web" } } }),
      3,
    ],
    [
      "a pod of another controller",
      pod(
        "web-1",
        {},
        {
          metadata: {
            labels: { app: "web" },
            ownerReferences: [
              { apiVersion: "v1", kind: "ReplicationController", name: "x", uid: "", controller: true },
            ],
          },
        },
      ),
      3,
    ],
  ])("with %s there already, %s more", (_, existing, count) => {
    expect(names(storeOf({ replicationControllers: [rc(3)], pods: [existing] }))).toHaveLength(count);
  });

  it("gives a Deployment a ReplicaSet, and that its pods", () => {
    const deployment = {
      kind: "Deployment" as const,
      metadata: meta,
      spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template },
    };
    const store = storeOf({ deployments: [deployment] });
    const result = replicate(store);
    const [replicaSet] = result.replicaSets;
    const name = replicaSet?.metadata?.name ?? "";
    expect(name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{6,10}$/);
    const hash = name.slice("web-".length);
    expect(replicaSet?.spec?.selector).toEqual({ matchLabels: { app: "web", "pod-template-hash": hash } });
    expect(result.pods.map(({ metadata }) => metadata?.labels)).toEqual(
      Array(2).fill({ app: "web", "pod-template-hash": hash }),
    );
    const after = applyReplication(store, result);
    expect(replicate(after)).toEqual({ replicaSets: [], pods: [] });
    expect(store.pods.size).toBe(0);
  });

  it("leaves a Deployment alone whose ReplicaSet is there, by owner or by labels", () => {
    const deployment = {
      kind: "Deployment" as const,
      metadata: meta,
      spec: { selector: { matchLabels: { app: "web" } }, template },
    };
    const spec = { replicas: 0, selector: { matchLabels: { app: "web" } }, template };
    const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "" };
    const owned = {
      kind: "ReplicaSet" as const,
      metadata: { ...meta, name: "web-1", ownerReferences: [owner] },
      spec,
    };
    const orphan = { kind: "ReplicaSet" as const, metadata: { ...meta, name: "web-1" }, spec };
    for (const replicaSet of [owned, orphan])
      expect(replicate(storeOf({ deployments: [deployment], replicaSets: [replicaSet] }))).toEqual({
        replicaSets: [],
        pods: [],
      });
  });

  it("gives a DaemonSet one pod on each node that its selector and taints allow, schedulable or not", () => {
    const spec = {
      selector: { matchLabels: { app: "web" } },
      template: { ...template, spec: { ...template.spec!, nodeSelector: { runds: "ok" } } },
    };
    const labels = { runds: "ok" };
    const nodes = [
      node("a", { metadata: { labels } }),
      node("b"),
      node("c", { metadata: { labels }, spec: { unschedulable: true } }),
      node("d", { metadata: { labels }, spec: { taints: [{ key: "k", effect: "NoSchedule" }] } }),
    ];
    const { pods } = replicate(storeOf({ nodes, daemonSets: [{ kind: "DaemonSet", metadata: meta, spec }] }));
    expect(pods.map((one) => one.spec?.nodeName)).toEqual(["a", "c"]);
  });

  it.each([
    [{}, {}, 1],
    [{ parallelism: 3 }, {}, 3],
    [{ parallelism: 3, completions: 2 }, {}, 2],
    [{ parallelism: 2, completions: 5 }, { succeeded: 4 }, 1],
    [{}, { succeeded: 1 }, 0],
    [{ parallelism: 2, suspend: true }, {}, 0],
  ])("a Job %j with status %j has %i pods", (spec, status, count) => {
    const job = { kind: "Job" as const, metadata: meta, spec: { ...spec, template }, status };
    expect(names(storeOf({ jobs: [job] }))).toHaveLength(count);
  });
});
