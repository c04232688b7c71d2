import { Incomplete } from "../language/syntax.ts";
import { machine } from "../session/place.ts";
import type { Session } from "../session/session.ts";
import { matchesExpected, printedLines } from "./compare.ts";
import { readScript, type Step } from "./transcript.ts";

/** Where a script writes: what commands print, and what is wrong. */
export interface ScriptOutput {
  out(text: string): void;
  err(text: string): void;
}

/** A command that went wrong, or printed something else than the script says. */
interface ScriptFault {
  readonly line: number;
  readonly command: string;
  readonly message: string;
}

/** How a script ended: null when every command went well. */
export type ScriptResult = { readonly fault: ScriptFault | null; readonly commands: number };

/**
 * Runs a script's commands one after the other. Without `expect` the first command that fails ends it; with it what
 * is printed (errors too) is compared, a command may fail where the script shows its error, and the first difference ends it.
 */
export async function runScript(
  session: Session,
  text: string,
  output: ScriptOutput,
  options: { expect: boolean },
): Promise<ScriptResult> {
  let commands = 0;
  for (const step of readScript(text)) {
    const fault = await runStep(session, step, output, options.expect);
    commands++;
    if (fault !== null)
      return { fault: { line: step.line, command: step.command, message: fault }, commands };
    if (session.ended) break;
  }
  return { fault: null, commands };
}

async function runStep(
  session: Session,
  step: Step,
  output: ScriptOutput,
  expect: boolean,
): Promise<string | null> {
  const moved = step.machine === null ? null : moveTo(session, step.machine);
  if (moved !== null) return moved;
  let printed = "";
  const write = (to: (text: string) => void) => (text: string) => {
    printed += text;
    to(text);
  };
  if (step.machine !== null) output.out(`${session.prompt}${step.command}\n`);
  const io = { stdin: "", out: write(output.out), err: write(output.err) };
  let code: number;
  try {
    code = await session.execute(step.command, io);
  } catch (error) {
    if (!(error instanceof Incomplete)) throw error;
    return "the command has no end";
  }
  if (expect && step.expected !== null) {
    const actual = printedLines(printed);
    return matchesExpected(step.expected, actual) ? null : difference(step.expected, actual);
  }
  return code === 0 ? null : `ended with code ${code}`;
}

/** The place of the prompt: a machine, or the pod that a command before has gone into. */
function moveTo(session: Session, name: string): string | null {
  if (session.place.name === name) return null;
  const place = machine(session.cluster, name);
  if (place === null) return `there is no machine ${name}`;
  session.places.splice(0, session.places.length, place);
  return null;
}

function difference(expected: readonly string[], actual: readonly string[]): string {
  const indented = (lines: readonly string[]) => lines.map((line) => `    ${line}\n`).join("");
  return `expected\n${indented(expected)}  printed\n${indented(actual)}`;
}
