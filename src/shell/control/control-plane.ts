import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { buildNetwork } from "../../cluster/build/network.ts";
import type { ServiceRange } from "../../cluster/controllers/cluster-ip.ts";
import {
  applyChanges,
  type Changes,
  type ClusterState,
  clusterState,
} from "../../cluster/controllers/cluster-state.ts";
import { type KubeletSettings, nextDue } from "../../cluster/controllers/pod-lifecycle.ts";
import { reconcile } from "../../cluster/controllers/reconcile.ts";
import { toBlock } from "../../cluster/objects/address.ts";
import type { ClusterModel } from "../../cluster/objects/model.ts";
import type { ObjectStore } from "../../cluster/objects/store.ts";
import { programOf } from "../images/program.ts";
import { modelOf } from "./cluster-model.ts";
import { liveStore } from "./live-store.ts";

const SECOND_US = 1_000_000;
/** Seconds that `wait` lets pass at most. */
const LONGEST_WAIT = 3600;

export interface ControlPlaneOptions {
  readonly seed?: number;
  /** When the cluster's clock stands at 0, in seconds since 1970. */
  readonly epoch?: number;
  /** Seconds to pull an image and start a container of it; a node does one after the other. */
  readonly startSeconds?: number;
}

/** 6 November 2017, 12:50 UTC: the evening of the tutorial. */
const DEFAULT_EPOCH = Date.UTC(2017, 10, 6, 12, 50) / 1000;
const DEFAULT_START_SECONDS = 6;

/** Thrown out of whatever waits when its time is over (`timeout`). */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/**
 * A cluster that lives: its objects, its controllers on the virtual clock, and the network that follows every change.
 * Time stands still between calls of `advance`.
 */
export class ControlPlane {
  readonly cluster: SimulatedCluster;
  readonly range: ServiceRange;
  private readonly base: ClusterModel;
  /** What the clock's 0 stands for, in seconds since 1970. */
  readonly epoch: number;
  private readonly settings: KubeletSettings;
  private current: ClusterState;
  private deadlineUs = Number.POSITIVE_INFINITY;
  /** What the network follows, as it was followed last. */
  private shown = "";

  constructor(model: ClusterModel, options: ControlPlaneOptions = {}) {
    this.epoch = options.epoch ?? DEFAULT_EPOCH;
    this.base = model;
    const blocks = model.nodes.map(({ podCIDR }) => toBlock(podCIDR));
    this.range = { block: toBlock(model.serviceCIDR), stated: true, podBlocks: blocks };
    this.settings = {
      startSeconds: options.startSeconds ?? DEFAULT_START_SECONDS,
      programOf,
      subnets: new Map(
        model.nodes.map(({ name, internalIP, podCIDR }) => [
          name,
          { nodeName: name, internalIP, block: toBlock(podCIDR) },
        ]),
      ),
    };
    this.current = reconcile(clusterState(liveStore(model.store, this.epoch), this.epoch), this.settings);
    this.cluster = buildNetwork(modelOf(model, this.current.store), { seed: options.seed ?? 1 });
  }

  get state(): ClusterState {
    return this.current;
  }

  get store(): ObjectStore {
    return this.current.store;
  }

  /** Seconds since 1970. */
  get now(): number {
    return this.epoch + Math.floor(this.cluster.network.clock.nowUs / SECOND_US);
  }

  /** The API server takes changes, every controller does what it has to at once, and the network follows. */
  write(changes: Changes): void {
    this.settle(applyChanges({ ...this.current, now: this.now }, changes));
  }

  /** Runs `act`; throws {@link Interrupted} out of it once so many seconds of virtual time have passed. */
  async withDeadline<T>(seconds: number, act: () => Promise<T>): Promise<T> {
    const before = this.deadlineUs;
    this.deadlineUs = Math.min(before, this.cluster.network.clock.nowUs + seconds * SECOND_US);
    try {
      return await act();
    } finally {
      this.deadlineUs = before;
    }
  }

  /** Lets virtual time pass: packets, timers, controllers. Throws {@link Interrupted} where a deadline is reached. */
  advance(seconds: number): void {
    const { network } = this.cluster;
    const wantedUs = network.clock.nowUs + Math.round(seconds * SECOND_US);
    this.advanceTo(Math.min(wantedUs, this.deadlineUs));
    if (wantedUs > this.deadlineUs) throw new Interrupted();
  }

  private advanceTo(end: number): void {
    const { network } = this.cluster;
    for (;;) {
      const next = nextDue(this.current, this.settings);
      const dueUs = next === null ? Number.POSITIVE_INFINITY : (next - this.epoch) * SECOND_US;
      if (dueUs > end) break;
      if (dueUs > network.clock.nowUs) network.advance(dueUs - network.clock.nowUs);
      this.settle({ ...this.current, now: this.now });
    }
    if (end > network.clock.nowUs) network.advance(end - network.clock.nowUs);
    this.settle({ ...this.current, now: this.now });
  }

  /**
   * Lets time pass until no change is due any more (programs that end again and again aside), or an hour is over; the
   * seconds that it took.
   */
  advanceUntilQuiet(): number {
    const begin = this.now;
    for (;;) {
      const next = nextDue(this.current, this.settings, true);
      if (next === null || next - begin > LONGEST_WAIT) return this.now - begin;
      this.advance(next - this.now);
    }
  }

  private settle(state: ClusterState): void {
    const before = this.current.store;
    this.current = reconcile(state, this.settings);
    const { store } = this.current;
    const followed = ["pods", "services", "endpoints", "endpointSlices", "nodes"] as const;
    if (followed.every((kind) => store[kind] === before[kind])) return;
    const model = modelOf(this.base, store);
    // most changes of a pod's status mean nothing to the network
    const shown = JSON.stringify([model.pods, model.services, model.endpointSlices, model.nodes]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.cluster.update(model);
  }
}
