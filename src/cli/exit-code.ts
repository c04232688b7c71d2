/** What the process's exit code means. */
export const EXIT = {
  /** The thing asked for holds. */
  ok: 0,
  /** It does not: a packet was not delivered, a property is broken, a difference was found. */
  fails: 1,
  /** The input or the command line is wrong. */
  usage: 2,
  /** A fault of the program's own. */
  internal: 70,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
