/** What programs of the cluster tried to do and the kernel refused, in the order in which it happened. */
export interface Refusals {
  readonly refused: string[];
}

/** Does what a program does. When the kernel refuses (RangeError) the program says so and goes on: null. */
export function attempt<T>({ refused }: Refusals, who: string, act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refused.push(`${who}: ${error.message}`);
    return null;
  }
}
