import { spread } from "../../src/analysis/bench/statistics.ts";
import type { Case, Comparison, Group } from "./case.ts";
import { Process } from "./process.ts";
import type { CaseResult, Figure } from "./result.ts";

/** What a case's process is asked. */
export type CaseRequest =
  | { readonly do: "prepare"; readonly name: string }
  | {
      readonly do: "round";
      readonly name: string;
      readonly timeMs: number;
      readonly rounds: number;
      /** Only the first round warms up. */
      readonly first: boolean;
    };

export interface CaseAnswer {
  /** Nanoseconds of one operation. */
  readonly samplesNs: readonly number[];
  /** The most memory the process has held so far. */
  readonly peakMiB: number;
}

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
      const by = comparison.by === undefined ? null : rounds.get(comparison.by);
      return of === undefined || by === undefined ? [] : [figure(comparison, of, by)];
    }),
  };
}

async function measureInTurns(
  cases: readonly Case[],
  rounds: number,
  answers: ReadonlyMap<string, CaseAnswer[]>,
): Promise<void> {
  const processes = new Map<string, Process<CaseRequest, CaseAnswer>>();
  try {
    for (const { name } of cases) {
      const one = new Process<CaseRequest, CaseAnswer>("measure-case.ts", name);
      processes.set(name, one);
      await one.ask({ do: "prepare", name });
    }
    for (let round = 0; round < rounds; round++)
      for (const [name, one] of processes) {
        const timeMs = SAMPLE_TIME_MS / rounds;
        answers.get(name)!.push(await one.ask({ do: "round", name, timeMs, rounds, first: round === 0 }));
      }
  } finally {
    for (const one of processes.values()) one.stop();
  }
}

const CONFIDENCE_95 = 1.96;
const NS_PER_MS = 1e6;

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
  by: readonly CaseAnswer[] | null,
): Figure {
  const p50 = ({ samplesNs }: CaseAnswer): number => spread(samplesNs).p50;
  const values = of.map((answer, round) => {
    if (by === null) return p50(answer) / NS_PER_MS;
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
