import { chiSquare, type Expectation } from "./chi-square.ts";
import type { FlowRecord } from "./record.ts";

/** How the kernel chose among the endpoints of a chain. */
export interface ChainChoices {
  /** `NODE CHAIN` */
  readonly chain: string;
  /** Rule number → how often. */
  readonly counts: ReadonlyMap<number, number>;
}

/** The verdict over all random choices of a run. */
export interface DistributionReport {
  readonly choices: number;
  readonly chains: number;
  readonly statistic: number;
  readonly freedom: number;
  readonly p: number;
}

/** Below so many expected, Pearson's test does not hold. */
const LEAST_EXPECTED = 5;

/** Adds up which endpoint the kernel's `statistic` rules chose, and holds it against their probabilities. */
export class Distribution {
  private readonly chains = new Map<
    string,
    { weights: readonly number[]; first: number; counts: number[] }
  >();

  /** `rules` gives a chain's rules in order. A chain counts whose rules end with random ones and a last without. */
  add(
    { counts }: FlowRecord,
    rules: (netns: string, table: string, chain: string) => readonly string[],
  ): void {
    for (const { netns, table, chain, rule, packets } of counts) {
      if (rule === 0 || table !== "nat") continue;
      const lines = rules(netns, table, chain);
      const first = lines.findIndex((line) => line.includes("--mode random"));
      if (first < 0 || rule <= first) continue;
      const key = `${netns} ${chain} ${lines.length}`;
      let known = this.chains.get(key);
      if (known === undefined) {
        known = { weights: weightsOf(lines.slice(first)), first, counts: lines.slice(first).map(() => 0) };
        this.chains.set(key, known);
      }
      known.counts[rule - 1 - first]! += packets;
    }
  }

  report(): DistributionReport {
    const outcomes: Expectation[] = [];
    let [choices, chains] = [0, 0];
    for (const { weights, counts } of this.chains.values()) {
      const total = counts.reduce((sum, one) => sum + one, 0);
      choices += total;
      if (weights.some((weight) => weight * total < LEAST_EXPECTED)) continue;
      chains++;
      counts.forEach((observed, i) => {
        outcomes.push({ observed, expected: weights[i]! * total });
      });
    }
    return { choices, chains, ...chiSquare(outcomes, chains) };
  }
}

/** The share of each rule: what those before it leave, times its own probability. */
function weightsOf(lines: readonly string[]): number[] {
  let left = 1;
  return lines.map((line) => {
    const probability = Number(/--probability (\S+)/.exec(line)?.[1] ?? 1);
    const share = left * probability;
    left -= share;
    return share;
  });
}
