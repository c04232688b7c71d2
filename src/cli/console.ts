/** Where a command writes to and what it knows of its terminal. Passed in, so that tests run commands in-process. */
export interface Console {
  /** Results: text, or bytes of a binary format. */
  out(text: string | Uint8Array): void;
  /** Errors, logs and progress. */
  err(text: string): void;
  /** Is standard output a terminal (colour), and standard error (progress, logs for people)? */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Columns of the terminal on standard output; undefined when it is none. */
  readonly columns: number | undefined;
  /** NO_COLOR is set (https://no-color.org). */
  readonly noColor: boolean;
}

/** The process's own standard streams. A reader that goes away ends the process quietly. */
export function processConsole(): Console {
  process.stdout.on("error", leaveOnBrokenStream);
  process.stderr.on("error", () => process.exit(process.exitCode));
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    noColor: (process.env["NO_COLOR"] ?? "") !== "",
  };
}

function leaveOnBrokenStream(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(process.exitCode);
  process.stderr.write(`podpath: error: standard output: ${error.message}\n`);
  process.exit(70);
}
