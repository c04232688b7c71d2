/** A live cluster for controller tests: nodes, objects, and time that passes. */
import type { Pod } from "kubernetes-types/core/v1.js";
import {
  applyChanges,
  type Changes,
  type ClusterState,
  clusterState,
} from "../../../src/cluster/controllers/cluster-state.ts";
import {
  type KubeletSettings,
  nextDue,
  type Program,
} from "../../../src/cluster/controllers/pod-lifecycle.ts";
import { reconcile } from "../../../src/cluster/controllers/reconcile.ts";
import { toBlock } from "../../../src/cluster/objects/address.ts";
import { emptyStore, type KubernetesObject, nameOf } from "../../../src/cluster/objects/store.ts";

const EPOCH = 1_500_000_000;

/** Nodes n1, n2 … with 10.1.0.0/24, 10.2.0.0/24 …; images take 5 seconds to start. */
export class Live {
  state: ClusterState;
  private readonly settings: KubeletSettings;

  constructor(nodes: number, programs: Readonly<Record<string, Program>> = {}) {
    const names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
    this.settings = {
      startSeconds: 5,
      programOf: ({ image = "" }) => programs[image] ?? null,
      subnets: new Map(
        names.map((nodeName, i) => [
          nodeName,
          { nodeName, internalIP: `10.0.0.${i + 1}`, block: toBlock(`10.${i + 1}.0.0/24`) },
        ]),
      ),
    };
    this.state = clusterState(emptyStore(), EPOCH);
    this.put(
      ...names.map((name) => ({ apiVersion: "v1", kind: "Node", metadata: { name, labels: { name } } })),
    );
  }

  write(changes: Partial<Changes>): void {
    const all = { put: [], remove: [], events: [], ...changes };
    this.state = reconcile(applyChanges(this.state, all), this.settings);
  }

  put(...objects: readonly object[]): void {
    this.write({ put: objects as KubernetesObject[] });
  }

  /** Lets seconds pass, with everything that falls due. */
  pass(seconds: number): void {
    const end = this.state.now + seconds;
    for (;;) {
      const next = nextDue(this.state, this.settings);
      if (next === null || next > end) break;
      this.state = reconcile({ ...this.state, now: Math.max(this.state.now, next) }, this.settings);
    }
    this.state = reconcile({ ...this.state, now: end }, this.settings);
  }

  /** Seconds since the beginning. */
  get elapsed(): number {
    return this.state.now - EPOCH;
  }

  get pods(): Pod[] {
    return [...this.state.store.pods.values()];
  }

  /** Names of the pods in a phase that are not on their way out, in order. */
  names(phase = "Running"): string[] {
    return this.pods
      .filter(({ status, metadata }) => status?.phase === phase && metadata?.deletionTimestamp === undefined)
      .map(nameOf)
      .sort();
  }
}

/** A container and its labels as a template. */
export const template = (labels: Record<string, string>, image = "server", spec: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: "c", image }], ...spec },
});

export const controller = (
  name: string,
  replicas: number,
  labels: Record<string, string>,
  image?: string,
) => ({
  apiVersion: "v1",
  kind: "ReplicationController",
  metadata: { name, namespace: "default" },
  spec: { replicas, selector: labels, template: template(labels, image) },
});
