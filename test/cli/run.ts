import type { Console } from "../../src/cli/console.ts";
import { run } from "../../src/cli/program.ts";

/** What a command line left behind. */
export interface Outcome {
  readonly code: number;
  /** Bytes of a binary format as a character each. */
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. `terminal` makes both its streams a terminal. */
export async function podpath(argv: readonly string[], terminal = false): Promise<Outcome> {
  let out = "";
  let err = "";
  const console: Console = {
    out: (text) => {
      out += typeof text === "string" ? text : Buffer.from(text).toString("latin1");
    },
    err: (text) => {
      err += text;
    },
    outIsTerminal: terminal,
    errIsTerminal: terminal,
    columns: terminal ? 90 : undefined,
    noColor: false,
  };
  const code = await run(argv, console);
  return { code, out, err };
}

/** The same, the words parted by spaces. */
export const podpathLine = (text: string, terminal = false): Promise<Outcome> =>
  podpath(
    text.split(" ").filter((word) => word !== ""),
    terminal,
  );
