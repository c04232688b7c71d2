/** Commands of the shell. */
import type { Io } from "./io.ts";
import type { Session } from "./session.ts";

/** One command: what it is called, what it does, and which words may follow. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Exit code, 0 when it went well. */
  run(session: Session, args: readonly string[], io: Io): number | Promise<number>;
  /** Words that may stand next after `args`; none when left out. */
  complete?(session: Session, args: readonly string[]): readonly string[];
}

/** What a command says before it ends with a code that is not 0. */
export class CommandError extends Error {
  readonly code: number;

  constructor(message: string, code = 1) {
    super(message);
    this.name = "CommandError";
    this.code = code;
  }
}
