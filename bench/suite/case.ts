/** One thing that is measured. */
export interface Case {
  readonly name: string;
  /** What one operation is. */
  readonly unit: "packet" | "walk" | "topology";
  /** Makes ready; its time is not counted. */
  prepare(): Prepared;
}

export interface Prepared {
  /** One sample: so many operations. */
  readonly operations: number;
  run(): void;
  /** Before each sample, uncounted. */
  readonly before?: () => void;
  /** Samples taken at least. */
  readonly samples: number;
}
