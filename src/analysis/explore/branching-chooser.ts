/**
 * Every way that chance can take. A run is repeated from a fresh state, each time answering its questions by a script;
 * where the script ends, the first answer is taken, and the other answers are scripts for later runs:
 *
 *   chance(2^31 / 4)? ─┬─ yes 1/4 ─▶ …
 *                      └─ no  3/4 ─▶ chance(2^31 / 3)? ─┬─ yes …
 *                                                       └─ no  …
 *
 * A yes and a no are told apart exactly as xt_statistic does, in parts of 2^31, so the probabilities of all branches
 * sum to 1 exactly. Which of many free ports or ids is taken makes no difference in kind: one stands for all.
 */
import { type ChoiceKind, type Chooser, SeededChooser } from "../../linux/chooser.ts";
import { add, type Fraction, fraction, ZERO } from "./fraction.ts";

const CHANCE_RANGE = 2 ** 31;

/** Answers by a script, and notes what else could have been answered. */
class BranchingChooser implements Chooser {
  private readonly script: readonly number[];
  private readonly representative: SeededChooser;
  /** What was answered, by the answer's number. */
  readonly answers: number[] = [];
  /** How many answers each question had. */
  readonly counts: number[] = [];
  private numerator = 1n;
  private denominator = 1n;

  constructor(script: readonly number[], seed: number) {
    this.script = script;
    this.representative = new SeededChooser(seed);
  }

  chance(threshold: number): boolean {
    if (threshold <= 0) return false;
    if (threshold >= CHANCE_RANGE) return true;
    const yes = this.answer(2) === 0;
    const ways = yes ? threshold : CHANCE_RANGE - threshold;
    this.weigh(ways, CHANCE_RANGE);
    return yes;
  }

  pick(n: number, what: ChoiceKind): number {
    if (what !== "address") return this.representative.pick(n);
    if (n <= 1) return 0;
    const answer = this.answer(n);
    this.weigh(1, n);
    return answer;
  }

  /** How likely all the answers together are. */
  get probability(): Fraction {
    return fraction(this.numerator, this.denominator);
  }

  private weigh(ways: number, of: number): void {
    this.numerator *= BigInt(ways);
    this.denominator *= BigInt(of);
  }

  private answer(count: number): number {
    const answer = this.script[this.answers.length] ?? 0;
    this.answers.push(answer);
    this.counts.push(count);
    return answer;
  }
}

/** One way that chance can take: its probability, exact, and what came of it. */
export interface Branch<Outcome> {
  readonly probability: Fraction;
  readonly outcome: Outcome;
  /** What chance answered, as numbers of the answers; {@link answersOf} gives them again. */
  readonly answers: readonly number[];
}

export interface ExploreOptions {
  /** Settles the ports and ids that stand for all others. */
  readonly seed?: number;
  /** Branches after which the search is given up. */
  readonly maxBranches?: number;
}

const MAX_BRANCHES = 100_000;

/** Chance has more ways than anybody wants to look at. */
export class TooManyBranchesError extends RangeError {
  constructor(most: number) {
    super(`more than ${most} branches of chance`);
    this.name = "TooManyBranchesError";
  }
}

/**
 * Runs once for every branch of chance, depth first, first answers first. `run` must start from an equal state each
 * time and take all its chance from the chooser that it is given.
 *
 * @throws TooManyBranchesError when there are more branches than `maxBranches` (100,000 unless told otherwise).
 */
export function exploreBranches<Outcome>(
  run: (chooser: Chooser) => Outcome,
  { seed = 1, maxBranches = MAX_BRANCHES }: ExploreOptions = {},
): Branch<Outcome>[] {
  const branches: Branch<Outcome>[] = [];
  let script: readonly number[] | null = [];
  while (script !== null) {
    if (branches.length >= maxBranches) throw new TooManyBranchesError(maxBranches);
    const chooser: BranchingChooser = new BranchingChooser(script, seed);
    const outcome = run(chooser);
    branches.push({ probability: chooser.probability, outcome, answers: chooser.answers });
    script = nextScript(chooser);
  }
  return branches;
}

/** A chooser that answers as it did in a branch of an exploration with the same seed. */
export const answersOf = (branch: Branch<unknown>, { seed = 1 }: ExploreOptions = {}): Chooser =>
  new BranchingChooser(branch.answers, seed);

/** The last question that has an answer left gets it, and what came after is forgotten; null when none has. */
function nextScript({ answers, counts }: BranchingChooser): readonly number[] | null {
  for (let i = answers.length - 1; i >= 0; i--)
    if (answers[i]! + 1 < counts[i]!) return [...answers.slice(0, i), answers[i]! + 1];
  return null;
}

/** Puts branches of equal outcome together under the sum of their probabilities, in the order of the first of each. */
export function groupBranches<Outcome>(
  branches: readonly Branch<Outcome>[],
  keyOf: (outcome: Outcome) => string,
): Branch<Outcome>[] {
  const groups = new Map<string, Branch<Outcome>>();
  for (const branch of branches) {
    const key = keyOf(branch.outcome);
    const before = groups.get(key);
    groups.set(
      key,
      before === undefined ? branch : { ...before, probability: add(before.probability, branch.probability) },
    );
  }
  return [...groups.values()];
}

/** The sum of all probabilities: 1 for a whole exploration. */
export const totalProbability = (branches: readonly Branch<unknown>[]): Fraction =>
  branches.reduce((sum, { probability }) => add(sum, probability), ZERO);
