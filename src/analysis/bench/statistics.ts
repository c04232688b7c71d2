/** What a list of counts comes to. */
export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** Percentiles are the least value that so many of a hundred do not exceed (nearest rank). Of nothing: zeros. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) return { mean: 0, p50: 0, p99: 0, worst: 0 };
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (percent: number): number => sorted[Math.ceil((percent / 100) * sorted.length) - 1]!;
  const mean = sorted.reduce((a, b) => a + b, 0) / sorted.length;
  return { mean, p50: rank(50), p99: rank(99), worst: sorted.at(-1)! };
}
