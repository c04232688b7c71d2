import { proxyMode } from "../../cluster/node-rules/proxy-mode.ts";
import type { ClusterModel } from "../../cluster/objects/model.ts";
import { inWorkers, moduleBeside } from "../workers/pool.ts";
import { joinParts } from "./merge.ts";
import { ordinalsOf, type ReachOptions, WHOLE } from "./reach.ts";
import type { Reach, Traced } from "./result.ts";
import { type ReachTarget, reachTargets } from "./target.ts";
import type { ReachJob, ReachShare } from "./worker.ts";

/** Targets of a share but for pods: enough to be worth a message, few enough that workers end together. */
const SHARE = 4;
/** Pods of one node that listen on the same port are traced together, see {@link shares}; so many at most. */
const POD_SHARE = 32;

/** Pairs below which workers have hardly built their clusters when one would be done; a pair takes about a millisecond. */
const FEW_PAIRS = 2_000;

/** Is there enough to do for workers to pay? */
export const isWorthWorkers = (model: ClusterModel): boolean => leastPairs(model) >= FEW_PAIRS;

/** Pairs of sender and target that have to be sent for, at least. */
function leastPairs(model: ClusterModel): number {
  const { nodes, pods, hosts } = model;
  // rules tell some pods of a node from others; in the other modes of kube-proxy all from each other
  const alike = proxyMode(model) === "iptables";
  return reachTargets(model).length * (nodes.length + hosts.length + (alike ? nodes.length : pods.length));
}

/** What all workers together came to. */
export interface ReachInWorkers {
  /** As {@link reach} gives it of the cluster built from the model, to the letter. */
  readonly result: Reach;
  /** More flows than one worker sends for: each finds out for itself which pods are equal as targets. */
  readonly traced: Traced;
  /** What the cluster's programs tried in vain as it was built. */
  readonly refused: readonly string[];
}

/**
 * Sends from everybody to everything in a cluster that is just built, in workers, each with the cluster for itself.
 *
 * @throws WorkerError when a worker ends before its work does.
 */
export async function reachInWorkers(
  model: ClusterModel,
  options: ReachOptions & { readonly workers: number },
): Promise<ReachInWorkers> {
  const { workers, seed = 1, shard = WHOLE, onProgress = () => {} } = options;
  const targets = reachTargets(model);
  const mine = ordinalsOf(targets.length, shard);
  // one share without targets finds out what a whole without targets says
  const tasks = mine.length === 0 ? [[]] : shares(model, targets, mine);
  const job: ReachJob = { model, seed };
  let done = 0;
  const found = await inWorkers<readonly number[], ReachShare>({
    module: moduleBeside(import.meta.url, "./worker"),
    data: job,
    tasks,
    workers,
    onResult: (_share, index) => {
      done += tasks[index]!.length;
      onProgress(done, mine.length);
    },
  });
  const sum = (of: (traced: Traced) => number): number =>
    found.reduce((total, { traced }) => total + of(traced), 0);
  return {
    result: { ...joinParts(found.map(({ part }) => part)), shard: shard.count === 1 ? null : shard },
    traced: { flows: sum(({ flows }) => flows), branches: sum(({ branches }) => branches) },
    refused: found[0]!.refused,
  };
}

/**
 * Which targets go together to one worker. Pods of one node that listen on the same port are often equal as targets, and
 * whoever has traced one of them need not trace the others.
 */
function shares(
  model: ClusterModel,
  targets: readonly ReachTarget[],
  ordinals: readonly number[],
): number[][] {
  const nodeOf = new Map(
    model.pods.map(({ namespace, name, nodeName }) => [`pod/${namespace}/${name}`, nodeName]),
  );
  const full: number[][] = [];
  const open = new Map<string, number[]>();
  for (const ordinal of ordinals) {
    const { kind, of, port, protocol } = targets[ordinal]!;
    const [key, most] =
      kind === "pod" ? [`${nodeOf.get(of)} ${port} ${protocol}`, POD_SHARE] : ["others", SHARE];
    const share = open.get(key) ?? [];
    share.push(ordinal);
    if (share.length === most) {
      full.push(share);
      open.delete(key);
    } else open.set(key, share);
  }
  return [...full, ...open.values()];
}
