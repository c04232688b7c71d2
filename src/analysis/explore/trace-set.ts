import type { TraceableCluster } from "../../trace/cluster.ts";
import type { TraceRequest } from "../../trace/request.ts";
import { send } from "../../trace/send.ts";
import { verdictLines } from "../../trace/text/verdict-text.ts";
import { API_VERSION, type Trace } from "../../trace/trace.ts";
import { type Branch, type ExploreOptions, groupBranches, totalProbability } from "./branching-chooser.ts";
import { type Fraction, toNumber } from "./fraction.ts";
import { exploreNetwork } from "./network.ts";

/** A probability: as a decimal, and exactly as `numerator` / `denominator`. */
export interface Probability {
  readonly probability: number;
  readonly numerator: string;
  readonly denominator: string;
}

/** One way that chance can take. */
export interface TraceBranch extends Probability {
  readonly trace: Trace;
}

/** What several branches have in common: where the packet and its answer ended, and why. */
export interface TraceOutcome extends Probability {
  /** Label and text, as the last lines of a trace say it. */
  readonly lines: readonly { readonly label: string; readonly text: string; readonly good: boolean }[];
}

/** All branches of a request: `podpath trace --explore -o json` prints it. The exact probabilities sum to 1. */
export interface TraceSet {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: "TraceSet";
  readonly branches: readonly TraceBranch[];
  /** The branches by how they ended, likeliest first. */
  readonly outcomes: readonly TraceOutcome[];
  /** That a listener gets the packet. */
  readonly delivered: Probability;
  /** That the sender gets its answer. */
  readonly answered: Probability;
}

const probabilityOf = (exact: Fraction): Probability => ({
  probability: toNumber(exact),
  numerator: String(exact.numerator),
  denominator: String(exact.denominator),
});

/**
 * Sends the request's packet in every branch of chance, each time into the cluster as it stands, which is left as it was.
 *
 * @throws RequestError when the request cannot be carried out as worded, TooManyBranchesError.
 */
export function exploreTrace(
  cluster: TraceableCluster,
  request: TraceRequest,
  options: ExploreOptions = {},
): TraceSet {
  const branches = exploreNetwork(cluster.network, () => send(cluster, request), options);
  return {
    apiVersion: API_VERSION,
    kind: "TraceSet",
    branches: branches.map(({ probability, outcome }) => ({ ...probabilityOf(probability), trace: outcome })),
    outcomes: outcomesOf(branches),
    delivered: sumOf(branches, ({ verdict }) => verdict === "delivered"),
    answered: sumOf(branches, ({ reply }) => reply?.verdict === "delivered"),
  };
}

/** The last lines of a trace: where packet and answer ended. */
export const endingLines = (trace: Trace): TraceOutcome["lines"] =>
  verdictLines(trace).filter(({ label }) => label !== "rules");

const sumOf = (branches: readonly Branch<Trace>[], wanted: (trace: Trace) => boolean): Probability =>
  probabilityOf(totalProbability(branches.filter(({ outcome }) => wanted(outcome))));

function outcomesOf(branches: readonly Branch<Trace>[]): TraceOutcome[] {
  const lines = branches.map((branch) => ({ ...branch, outcome: endingLines(branch.outcome) }));
  return groupBranches(lines, (outcome) => JSON.stringify(outcome))
    .map(({ probability, outcome }) => ({ ...probabilityOf(probability), lines: outcome }))
    .sort((a, b) => b.probability - a.probability);
}
