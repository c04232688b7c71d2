/** What the page asks about a packet, checked, and what is found out about it. */
import { z } from "zod";
import { exploreNetwork } from "../../analysis/explore/network.ts";
import { simpleFraction } from "../../analysis/explore/simple-fraction.ts";
import { exploreTrace, type TraceBranch, type TraceSet } from "../../analysis/explore/trace-set.ts";
import type { SimulatedCluster } from "../../cluster/build/cluster.ts";
import { PROTOCOLS, RequestError, type TraceRequest } from "../../trace/request.ts";
import { send } from "../../trace/send.ts";
import { verdictLines } from "../../trace/text/verdict-text.ts";
import type { Trace } from "../../trace/trace.ts";
import type { BranchView, TraceAnswer } from "../view/api.ts";

const MAX_NAME = 600;

/** See `Question` of the API. */
export const questionSchema = z.strictObject({
  from: z.string().max(MAX_NAME),
  to: z.string().max(MAX_NAME),
  protocol: z.enum(PROTOCOLS).optional(),
  sourcePort: z.int().min(1).max(65535).optional(),
  ttl: z.int().min(1).max(255).optional(),
  size: z.int().min(0).max(65515).optional(),
  dontFragment: z.boolean().optional(),
  reply: z.boolean().optional(),
});

/** A checked question as `send` takes it: what is undefined is left out. */
export function requestOf({ from, to, ...rest }: z.infer<typeof questionSchema>): TraceRequest {
  const { protocol, sourcePort, ttl, size, dontFragment, reply } = rest;
  return {
    from,
    to,
    ...(protocol === undefined ? {} : { protocol }),
    ...(sourcePort === undefined ? {} : { sourcePort }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(size === undefined ? {} : { size }),
    ...(dontFragment === undefined ? {} : { dontFragment }),
    ...(reply === undefined ? {} : { reply }),
  };
}

/** Which of the ways of chance is meant: the seed's, or with `explore` the likeliest but `branch`. */
export interface Ask {
  readonly explore: boolean;
  readonly branch: number;
  readonly seed: number;
}

/** Branches that an answer lists; a page of more helps nobody. */
const MAX_BRANCHES = 1_000;

/** Acts on the cluster, which is put back then as it was. */
function actAndForget<Seen>({ network }: SimulatedCluster, act: () => Seen): Seen {
  network.checkpoint();
  try {
    return act();
  } finally {
    network.rollback();
  }
}

/** Around a send: `look` sees the trace while the cluster is still as the packet leaves it. */
export interface Looking<Seen> {
  readonly look: (trace: Trace) => Seen;
  /** Calls `act`, which sends; nothing else when left out. */
  readonly watch?: (act: () => Trace) => Trace;
}

/** Sends the question's packet and looks. The cluster is put back then as it was. */
export function answeredTrace<Seen>(
  cluster: SimulatedCluster,
  request: TraceRequest,
  { explore, branch, seed }: Ask,
  { look, watch = (act) => act() }: Looking<Seen>,
): Seen {
  const act = (): Trace => send(cluster, request);
  if (!explore) return actAndForget(cluster, () => look(watch(act)));
  const wanted = branchOf(likeliestFirst(exploreTrace(cluster, request, limits(seed)).branches), branch);
  let turn = 0;
  const inTurn = (): Seen | null => {
    if (turn++ === wanted.turn) return look(watch(act));
    act();
    return null;
  };
  return exploreNetwork(cluster.network, inTurn, limits(seed))[wanted.turn]!.outcome as Seen;
}

const limits = (seed: number) => ({ seed, maxBranches: MAX_BRANCHES });

/** The branches with the turn at which exploring comes by each. */
const likeliestFirst = (branches: readonly TraceBranch[]): (TraceBranch & { turn: number })[] =>
  branches.map((one, turn) => ({ ...one, turn })).sort((a, b) => b.probability - a.probability);

function branchOf<T>(branches: readonly T[], branch: number): T {
  const chosen = branches[branch];
  if (chosen === undefined)
    throw new RequestError(`there is no branch ${branch}: there are ${branches.length}, counted from 0`);
  return chosen;
}

/** Every branch of chance, likeliest first. */
export function exploreAll(cluster: SimulatedCluster, request: TraceRequest, seed: number): TraceSet {
  const set = exploreTrace(cluster, request, limits(seed));
  const branches = likeliestFirst(set.branches).map(({ turn: _turn, ...branch }) => branch);
  return { ...set, branches };
}

/** One of the branches in full, and all of them in outline. */
export function answerBranch({ branches }: TraceSet, branch: number): TraceAnswer {
  const { trace } = branchOf(branches, branch);
  return { trace, branch, branches: branches.map(branchView) };
}

function branchView({ probability, trace }: TraceBranch): BranchView {
  return {
    probability,
    fraction: simpleFraction(probability),
    verdict: trace.verdict,
    lines: verdictLines(trace).filter(({ label }) => label !== "rules"),
  };
}
