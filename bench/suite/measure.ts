import { spread } from "../../src/analysis/bench/statistics.ts";
import type { Case, Comparison, Group } from "./case.ts";
import { type CaseAnswer, CaseProcess } from "./process.ts";
import type { CaseResult, Figure } from "./result.ts";

/** Time that one case's samples take, all rounds together. */
const SAMPLE_TIME_MS = 2000;

export interface GroupResult {
  /** `NAME: WHY` of cases that could not be measured. */
  readonly failed: readonly string[];
  readonly cases: readonly CaseResult[];
  readonly figures: readonly Figure[];
}

/** Measures the cases of a group that are wanted, turn and turn about. */
export async function measureGroup(group: Group, wanted: (one: Case) => boolean): Promise<GroupResult> {
  const cases = group.cases.filter(wanted);
  const rounds = new Map(cases.map(({ name }) => [name, [] as CaseAnswer[]]));
  // with nothing to take turns with, a process need not wait for the others
  const turns = group.rounds === 1 ? cases.map((one) => [one]) : [cases];
  const failed: string[] = [];
  for (const together of turns)
    await measureInTurns(together, group.rounds, rounds).catch((error: Error) => {
      failed.push(error.message);
      for (const { name } of together) rounds.delete(name);
    });
  return {
    failed,
    cases: cases.flatMap((one) => {
      const answers = rounds.get(one.name);
      return answers === undefined ? [] : [caseResult(one, answers)];
    }),
    figures: group.comparisons.flatMap((comparison) => {
      const of = rounds.get(comparison.of);
      const by = rounds.get(comparison.by);
      return of === undefined || by === undefined ? [] : [figure(comparison, of, by)];
    }),
  };
}

async function measureInTurns(
  cases: readonly Case[],
  rounds: number,
  answers: ReadonlyMap<string, CaseAnswer[]>,
): Promise<void> {
  const processes: CaseProcess[] = [];
  try {
    for (const { name } of cases) processes.push(await CaseProcess.start(name));
    for (let round = 0; round < rounds; round++)
      for (const one of processes)
        answers.get(one.name)!.push(await one.round(SAMPLE_TIME_MS / rounds, rounds, round === 0));
  } finally {
    for (const one of processes) one.stop();
  }
}

const CONFIDENCE_95 = 1.96;

function caseResult({ name, unit }: Case, rounds: readonly CaseAnswer[]): CaseResult {
  const samples = rounds.flatMap(({ samplesNs }) => samplesNs);
  const { mean, p50, p99 } = spread(samples);
  const variance = samples.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, samples.length - 1);
  return {
    name,
    unit,
    meanNs: mean,
    p50Ns: p50,
    p99Ns: p99,
    leastNs: Math.min(...samples),
    marginPercent: (100 * CONFIDENCE_95 * Math.sqrt(variance / samples.length)) / mean,
    samples: samples.length,
    peakMiB: rounds.at(-1)!.peakMiB,
  };
}

/** Round by round, so that what slows the machine down for a while slows both sides. */
function figure(
  { name, growth, target }: Comparison,
  of: readonly CaseAnswer[],
  by: readonly CaseAnswer[],
): Figure {
  const p50 = ({ samplesNs }: CaseAnswer): number => spread(samplesNs).p50;
  const values = of.map((answer, round) => {
    const ratio = p50(answer) / p50(by[round]!);
    return growth === undefined ? ratio : Math.log(ratio) / Math.log(growth);
  });
  return {
    name,
    value: spread(values).p50,
    least: Math.min(...values),
    most: Math.max(...values),
    target: target ?? null,
  };
}
