import type { Question, TraceAnswer } from "../view/api.ts";
import { type Step, stepsOf } from "../view/steps.ts";

/** A question with its answer. */
export interface Result {
  readonly question: Question;
  readonly explore: boolean;
  readonly answer: TraceAnswer;
  /** All steps of the answer's trace. */
  readonly steps: readonly Step[];
}

export const resultOf = (question: Question, explore: boolean, answer: TraceAnswer): Result => ({
  question,
  explore,
  answer,
  steps: stepsOf(answer.trace),
});

/** Do two results answer the same question, so that their difference is the topology's? */
export const isSameQuestion = (a: Result, b: Result): boolean =>
  a.explore === b.explore && JSON.stringify(a.question) === JSON.stringify(b.question);
