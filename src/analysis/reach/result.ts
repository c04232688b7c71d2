import type { API_VERSION } from "../../trace/trace.ts";
import type { ReachTarget } from "./target.ts";

/** Part `index` (from 0) of `count` parts. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Why a packet or its answer does not arrive, and how often. */
export interface ReachReason {
  readonly probability: number;
  readonly text: string;
}

/** Senders that are equal to the network, to one target. Probabilities are decimals of exact fractions. */
export interface ReachRow extends Pick<ReachTarget, "to" | "kind" | "of" | "protocol"> {
  /** Number of the target among all targets, from 0. */
  readonly target: number;
  /** Number of the class of senders in `classes`. */
  readonly from: number;
  readonly delivered: number;
  readonly answered: number;
  /** Empty where everything is answered. */
  readonly because: readonly ReachReason[];
}

/** Who reaches whom: `podpath reach -o json` prints it. */
export interface Reach {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "Reach";
  /** The cluster's name. */
  readonly cluster: string;
  readonly seed: number;
  /** SHA-256 over everybody's names and the targets: parts with another one are of another cluster. */
  readonly digest: string;
  /** Null for the whole. */
  readonly shard: Shard | null;
  /** How many targets there are, over all shards. */
  readonly targets: number;
  /** Senders by class; the first of a class is the one that was traced. */
  readonly classes: readonly (readonly string[])[];
  /** By target, then by sender. */
  readonly rows: readonly ReachRow[];
}

/** How much work it was: pairs that were sent for, and the branches of chance that they took. */
export interface Traced {
  flows: number;
  branches: number;
}

/** Classes of senders, numbered as they come up. */
export class ClassList {
  readonly all: (readonly string[])[] = [];
  private readonly numbers = new Map<string, number>();

  number(members: readonly string[]): number {
    const key = members.join("\n");
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.all.length;
      this.numbers.set(key, number);
      this.all.push(members);
    }
    return number;
  }
}
