/** One thing that is measured. */
export interface Case {
  readonly name: string;
  /** What one operation is. */
  readonly unit: "packet" | "walk" | "topology" | "trace";
  /** Makes ready; its time is not counted. */
  prepare(): Prepared;
}

export interface Prepared {
  /** One sample: so many operations. */
  readonly operations: number;
  run(): void;
  /** Before each sample, uncounted. */
  readonly before?: () => void;
  /** Samples taken at least, over all rounds. Fewer than 10: the first run counts already. */
  readonly samples: number;
}

/**
 * A figure made of two cases: their medians' ratio, or its exponent where one's size is a multiple of the other's. Without
 * the second: the first one's milliseconds.
 */
export interface Comparison {
  readonly name: string;
  /** Name of the case above the line. */
  readonly of: string;
  /** Name of the case below it. */
  readonly by?: string;
  /** How many times as large `of` is as `by`: the figure is the exponent of growth then. */
  readonly growth?: number;
  readonly target?: Target;
}

/** What a figure should be. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** Cases that are held against each other: they are measured turn and turn about, each in a process of its own. */
export interface Group {
  readonly cases: readonly Case[];
  /** Turns of each. */
  readonly rounds: number;
  readonly comparisons: readonly Comparison[];
}
