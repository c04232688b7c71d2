import { createInterface } from "node:readline";
import { Incomplete } from "../language/syntax.ts";
import type { Session } from "../session/session.ts";
import { completions } from "./complete.ts";

/** Where lines come from and text goes to. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly isTerminal: boolean;
  err(text: string): void;
}

/** Reads lines and runs them until `exit` or the end of the input; the last command's exit code. */
export async function interact(
  session: Session,
  { input, output, isTerminal, err }: Terminal,
): Promise<number> {
  const lines = createInterface({
    input,
    output,
    terminal: isTerminal,
    historySize: 1000,
    completer: (line: string) => completions(session, line),
  });
  const io = { stdin: "", out: (text: string) => void output.write(text), err };
  const prompt = (text: string) => {
    lines.setPrompt(text);
    if (isTerminal) lines.prompt();
  };
  let code = 0;
  let pending = "";
  lines.on("SIGINT", () => {
    pending = "";
    output.write("^C\n");
    prompt(session.prompt);
  });
  prompt(session.prompt);
  for await (const line of lines) {
    pending += pending === "" ? line : `\n${line}`;
    try {
      code = await session.execute(pending, io);
      pending = "";
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
    }
    if (session.ended) break;
    prompt(pending === "" ? session.prompt : "> ");
  }
  lines.close();
  if (pending === "") return code;
  err("-bash: syntax error: unexpected end of file\n");
  return 2;
}
