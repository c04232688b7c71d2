/**
 * A rule set that cannot be taken: malformed text, an unknown chain, an extension that nobody here can judge by.
 * `line` counts from 1 in the text that was read; null where there was no text.
 */
export class RuleSetError extends Error {
  readonly line: number | null;
  /** What is wrong, without the line. */
  readonly detail: string;

  constructor(line: number | null, detail: string) {
    super(line === null ? detail : `line ${line}: ${detail}`);
    this.name = "RuleSetError";
    this.line = line;
    this.detail = detail;
  }
}

/** Raised by the parser of an option's value; who knows the line turns it into a {@link RuleSetError}. */
export class OptionError extends Error {}

/** Ends the parse of an option with what is wrong about it. */
export function refuse(message: string): never {
  throw new OptionError(message);
}

/** Raised for options that are real but not modelled: the rule can be kept and printed, but no packet judged by it. */
export class UnmodelledError extends OptionError {}

/** Ends the parse of an option that is not modelled. */
export function unmodelled(message: string): never {
  throw new UnmodelledError(message);
}
