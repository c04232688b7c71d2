import { type ChoiceKind, type Chooser, SeededChooser } from "../../src/linux/chooser.ts";
import type { Result } from "./plan.ts";

/**
 * Takes the random branches that the kernel took, as far as its record tells: the answers to the `statistic` matches
 * of a flow, in order. Ports, and whatever no record tells of, come from a seed.
 */
export class GuidedChooser implements Chooser {
  private readonly seeded: SeededChooser;
  private answers: boolean[] = [];

  constructor(seed: number) {
    this.seeded = new SeededChooser(seed);
  }

  /** From here on, chance answers these, one after the other. */
  guide(answers: readonly boolean[]): void {
    this.answers = [...answers];
  }

  chance(threshold: number): boolean {
    return this.answers.shift() ?? this.seeded.chance(threshold);
  }

  pick(n: number, _what: ChoiceKind): number {
    return this.seeded.pick(n);
  }
}

/** What the kernel's `statistic` matches said: no at every such rule before the one that matched, yes there. */
export function statisticAnswers(
  result: Result,
  chains: (netns: string, chain: string) => readonly string[],
): boolean[] {
  const answers: boolean[] = [];
  for (const row of result.rules ?? []) {
    if (
      row.table !== "nat" ||
      row.rule === "policy" ||
      !row.of.startsWith("req") ||
      !row.verdict.startsWith("jump")
    )
      continue;
    const rules = chains(row.netns, row.chain);
    // only the last jump out of a chain of random rules says which of them was taken
    if (!rules.some((rule) => rule.includes("-m statistic"))) continue;
    const matched = rules[row.rule - 1] ?? "";
    if (!row.verdict.includes("KUBE-SEP") || matched.includes("-m recent")) continue;
    for (let i = 0; i < row.rule - 1; i++) if (rules[i]!.includes("-m statistic")) answers.push(false);
    if (matched.includes("-m statistic")) answers.push(true);
  }
  return answers;
}

/** The `-A` lines of a rule set by chain. */
export function rulesByChain(text: readonly string[]): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  let table = "";
  for (const line of text) {
    if (line.startsWith("*")) table = line.slice(1);
    const match = /^-A (\S+) ?(.*)$/.exec(line);
    if (match === null || table !== "nat") continue;
    const rules = chains.get(match[1]!) ?? [];
    rules.push(match[2]!);
    chains.set(match[1]!, rules);
  }
  return chains;
}
