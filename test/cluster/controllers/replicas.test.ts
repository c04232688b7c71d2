import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { controllerOf } from "../../../src/cluster/controllers/owner.ts";
import { nameOf } from "../../../src/cluster/objects/store.ts";
import { controller, Live, template } from "./live.ts";

const LABELS = { app: "a" };

describe("a replication controller", () => {
  it("makes what is missing; containers of a node start one after the other", () => {
    const live = new Live(1);
    live.put(controller("rc", 3, LABELS));
    expect([live.pods.length, live.names().length]).toEqual([3, 0]);
    live.pass(5);
    expect(live.names()).toHaveLength(1);
    live.pass(10);
    expect(live.names()).toHaveLength(3);
    expect(live.pods.map(({ status }) => status?.podIP).sort()).toEqual(["10.1.0.2", "10.1.0.3", "10.1.0.4"]);
    expect(live.state.store.replicationControllers.get("default/rc")?.status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
  });

  it("deletes the youngest of those that are ready; addresses become free again", () => {
    const live = new Live(1);
    live.put(controller("rc", 4, LABELS));
    live.pass(30);
    const oldest = live.pods
      .filter(({ status }) => /[.][23]$/.test(status?.podIP ?? ""))
      .map(nameOf)
      .sort();
    live.put(controller("rc", 2, LABELS));
    expect(live.names()).toEqual(oldest);
    expect(live.pods).toHaveLength(4);
    live.pass(2);
    expect(live.pods).toHaveLength(2);
    live.put(controller("rc", 3, LABELS));
    live.pass(5);
    expect(live.pods.map(({ status }) => status?.podIP).sort()).toEqual(["10.1.0.2", "10.1.0.3", "10.1.0.4"]);
  });

  it("adopts pods that match and belong to nobody, and releases those that no longer match", () => {
    const live = new Live(1);
    live.put({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "mine", namespace: "default", labels: LABELS },
      spec: { containers: [{ name: "c" }] },
      status: { phase: "Pending" },
    });
    live.put(controller("rc", 2, LABELS));
    live.pass(20);
    expect(live.names()).toHaveLength(2);
    const mine = live.state.store.pods.get("default/mine")!;
    expect(controllerOf(mine)?.name).toBe("rc");
    live.put({ ...mine, metadata: { ...mine.metadata, labels: { app: "other" } } });
    live.pass(20);
    expect(controllerOf(live.state.store.pods.get("default/mine")!)).toBeNull();
    expect(live.names()).toHaveLength(3);
  });

  it("says what it makes and deletes", () => {
    const live = new Live(1);
    live.put(controller("rc", 1, LABELS));
    live.put(controller("rc", 0, LABELS));
    const told = live.state.events.filter(({ kind }) => kind === "ReplicationController");
    expect(told.map(({ reason, component }) => [reason, component])).toEqual([
      ["SuccessfulCreate", "replication-controller"],
      ["SuccessfulDelete", "replication-controller"],
    ]);
  });
});

describe("whatever is asked for one after the other", () => {
  it("ends with as many ready pods as were asked for last, each with an address of its own", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 20 })), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 3 }),
        (steps, nodes) => {
          const live = new Live(nodes);
          for (const [replicas, seconds] of steps) {
            live.put(controller("rc", replicas, LABELS));
            live.pass(seconds);
          }
          live.pass(100);
          const wanted = steps.at(-1)![0];
          expect(live.names()).toHaveLength(wanted);
          expect(live.pods).toHaveLength(wanted);
          expect(new Set(live.pods.map(({ status }) => status?.podIP)).size).toBe(wanted);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("pods and nodes", () => {
  it("wait for a node that fits them, and are bound once there is one", () => {
    const live = new Live(2);
    const spec = { nodeSelector: { disk: "ssd" }, containers: [{ name: "c", image: "server" }] };
    live.put({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "default" },
      spec,
      status: { phase: "Pending" },
    });
    live.pass(60);
    expect(live.names("Pending")).toEqual(["p"]);
    expect(live.state.events.map(({ message, count }) => [message, count])).toEqual([
      ["No nodes are available that match all of the following predicates:: MatchNodeSelector (2).", 1],
    ]);
    const node = live.state.store.nodes.get("n2")!;
    live.put({ ...node, metadata: { ...node.metadata, labels: { disk: "ssd" } } });
    live.pass(10);
    expect(live.pods[0]?.spec?.nodeName).toBe("n2");
    expect(live.names()).toEqual(["p"]);
  });

  it.each([
    [
      { taints: [{ key: "k", effect: "NoSchedule" }] },
      "No nodes are available that match all of the following predicates:: PodToleratesNodeTaints (1).",
    ],
    [{ unschedulable: true }, "no nodes available to schedule pods"],
  ])("%j: %s", (spec, message) => {
    const live = new Live(1);
    live.put({ ...live.state.store.nodes.get("n1"), spec });
    live.put({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "default" },
      spec: template({}).spec,
      status: { phase: "Pending" },
    });
    expect(live.state.events.at(-1)?.message).toBe(message);
  });
});
