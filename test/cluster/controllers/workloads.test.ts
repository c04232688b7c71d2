import { describe, expect, it } from "vitest";
import { Live, template } from "./live.ts";

const deployment = (image: string, more: object = {}) => ({
  apiVersion: "extensions/v1beta1",
  kind: "Deployment",
  metadata: { name: "d", namespace: "default" },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: "d" } },
    template: template({ app: "d" }, image),
    ...more,
  },
});

const imagesOf = (live: Live): string[] =>
  live.pods
    .filter(({ status }) => status?.phase === "Running")
    .map(({ spec }) => spec?.containers[0]?.image ?? "")
    .sort();

describe("a Deployment", () => {
  it("replaces its pods within surge and unavailability", () => {
    const live = new Live(2);
    live.put(deployment("old"));
    live.pass(60);
    live.put(deployment("new"));
    for (let second = 0; second < 60; second++) {
      live.pass(1);
      const { status } = live.state.store.deployments.get("default/d")!;
      expect(status?.availableReplicas).toBeGreaterThanOrEqual(3);
      expect(status?.replicas).toBeLessThanOrEqual(5);
    }
    expect(imagesOf(live)).toEqual(["new", "new", "new", "new"]);
    const revisions = [...live.state.store.replicaSets.values()].map(({ metadata, spec }) => [
      metadata?.annotations?.["deployment.kubernetes.io/revision"],
      spec?.replicas,
    ]);
    expect(revisions).toEqual([
      ["1", 0],
      ["2", 4],
    ]);
  });

  it("that recreates has no pod in between", () => {
    const live = new Live(1);
    const strategy = { strategy: { type: "Recreate" } };
    live.put(deployment("old", strategy));
    live.pass(60);
    live.put(deployment("new", strategy));
    expect(live.names()).toEqual([]);
    live.pass(60);
    expect(imagesOf(live)).toEqual(["new", "new", "new", "new"]);
  });

  it("that is paused goes on only when it is resumed; a template that comes back is the newest revision", () => {
    const live = new Live(2);
    live.put(deployment("old"));
    live.pass(60);
    live.put(deployment("new", { paused: true }));
    live.pass(60);
    expect(imagesOf(live)).toEqual(["old", "old", "old", "old"]);
    live.put(deployment("new"));
    live.pass(60);
    live.put(deployment("old"));
    live.pass(60);
    expect(imagesOf(live)).toEqual(["old", "old", "old", "old"]);
    const { metadata } = live.state.store.deployments.get("default/d")!;
    expect(metadata?.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
  });
});

describe("a DaemonSet", () => {
  const daemonSet = (nodeSelector: Record<string, string>) => ({
    apiVersion: "extensions/v1beta1",
    kind: "DaemonSet",
    metadata: { name: "ds", namespace: "default" },
    spec: {
      selector: { matchLabels: { ds: "x" } },
      template: template({ ds: "x" }, "server", { nodeSelector }),
    },
  });
  const nodesOf = (live: Live) =>
    live.pods
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map(({ spec }) => spec?.nodeName)
      .sort();

  it("has a pod on every node, even on one that takes no others", () => {
    const live = new Live(3);
    live.put({ ...live.state.store.nodes.get("n2"), spec: { unschedulable: true } });
    live.put(daemonSet({}));
    expect(nodesOf(live)).toEqual(["n1", "n2", "n3"]);
  });

  it("follows labels of nodes, there and away", () => {
    const live = new Live(2);
    live.put(daemonSet({ runds: "ok" }));
    expect(nodesOf(live)).toEqual([]);
    const node = live.state.store.nodes.get("n2")!;
    live.put({ ...node, metadata: { ...node.metadata, labels: { runds: "ok" } } });
    live.pass(10);
    expect(nodesOf(live)).toEqual(["n2"]);
    expect(live.state.store.daemonSets.get("default/ds")?.status).toMatchObject({
      desiredNumberScheduled: 1,
      numberReady: 1,
    });
    live.put({ ...node, metadata: { ...node.metadata, labels: {} } });
    expect(nodesOf(live)).toEqual([]);
  });
});

describe("a Job", () => {
  const PROGRAMS = { good: { seconds: 10, exitCode: 0 }, bad: { seconds: 1, exitCode: 1 } };
  const job = (image: string, spec: object, restartPolicy = "Never") => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j", namespace: "default" },
    spec: {
      selector: { matchLabels: { job: "j" } },
      template: template({ job: "j" }, image, { restartPolicy }),
      ...spec,
    },
  });
  const statusOf = (live: Live) => live.state.store.jobs.get("default/j")?.status;

  it("runs so many pods at a time until enough have succeeded", () => {
    const live = new Live(2, PROGRAMS);
    live.put(job("good", { completions: 5, parallelism: 2 }));
    for (let second = 0; second < 200 && statusOf(live)?.completionTime === undefined; second++) {
      expect(live.names().length + live.names("Pending").length).toBeLessThanOrEqual(2);
      live.pass(1);
    }
    expect(statusOf(live)).toMatchObject({
      succeeded: 5,
      conditions: [{ type: "Complete", status: "True" }],
    });
    expect([live.names("Succeeded").length, live.pods.length]).toEqual([5, 5]);
  });

  it("replaces a pod that failed, under Never", () => {
    const live = new Live(1, PROGRAMS);
    live.put(job("bad", { completions: 1, parallelism: 1 }));
    live.pass(60);
    expect(live.names("Failed").length).toBeGreaterThan(3);
    expect(statusOf(live)?.succeeded).toBeUndefined();
  });

  it("lets the kubelet start the container again, under OnFailure, with longer and longer pauses", () => {
    const live = new Live(1, PROGRAMS);
    live.put(job("bad", { completions: 1, parallelism: 1 }, "OnFailure"));
    live.pass(5 + 1 + 10 + 1 + 20 + 1 + 40);
    expect(live.pods).toHaveLength(1);
    expect(live.pods[0]?.status?.containerStatuses?.[0]?.restartCount).toBe(3);
  });
});

describe("readiness", () => {
  const withProbe = (probe: object) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: {
      containers: [{ name: "c", image: "server", ports: [{ containerPort: 80 }], readinessProbe: probe }],
    },
    status: { phase: "Pending" },
  });
  const readyAfter = (probe: object): number | null => {
    const live = new Live(1);
    live.put(withProbe(probe));
    for (let second = 0; second < 100; second++) {
      if (live.pods[0]?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"))
        return live.elapsed;
      live.pass(1);
    }
    return null;
  };

  it.each([
    [{ httpGet: { path: "/", port: 80 } }, 5],
    [{ httpGet: { path: "/", port: 80 }, initialDelaySeconds: 30 }, 35],
    [{ tcpSocket: { port: 81 } }, null],
    [{ exec: { command: ["true"] }, initialDelaySeconds: 2 }, 7],
  ])("%j: after %s seconds", (probe, seconds) => {
    expect(readyAfter(probe)).toBe(seconds);
  });
});
