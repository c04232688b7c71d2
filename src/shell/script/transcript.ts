/**
 * Scripts. A line `[root@MACHINE ~]# COMMAND` is typed at that machine and the lines below it, up to the next prompt, are
 * what it printed; a script without such lines holds commands alone. Lines that begin with `#` are remarks.
 */

/** One command of a script. `expected` is null where the script says nothing about what is printed. */
export interface Step {
  /** Line of the script it stands on, from 1. */
  readonly line: number;
  /** Machine at whose prompt it stands; null in a script without prompts. */
  readonly machine: string | null;
  readonly command: string;
  readonly expected: readonly string[] | null;
}

const PROMPT = /^\s*\[\w+@([^\s\]]+) [^\]]*\][#$] ?(.*)$/;
const HEREDOC = /<<-?\s*(['"]?)(\w+)\1/;

/** The commands of a script, in order. */
export function readScript(text: string): Step[] {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.some((line) => PROMPT.test(line)) ? transcript(lines) : commands(lines);
}

function transcript(lines: readonly string[]): Step[] {
  const steps: Step[] = [];
  let at = 0;
  while (at < lines.length) {
    const match = PROMPT.exec(lines[at]!);
    const line = at + 1;
    if (match === null) {
      at++;
      continue;
    }
    const [command, next] = withContinuation(match[2]!, lines, at + 1);
    const expected: string[] = [];
    for (at = next; at < lines.length && !PROMPT.test(lines[at]!) && !isRemark(lines[at]!); at++)
      expected.push(lines[at]!);
    while (expected.at(-1)?.trim() === "") expected.pop();
    steps.push({ line, machine: match[1]!, command, expected });
  }
  return steps;
}

const isRemark = (line: string): boolean => /^#/.test(line);

/** Lines that belong to the command: after a backslash, and a heredoc's body. */
function withContinuation(first: string, lines: readonly string[], from: number): [string, number] {
  let command = first;
  let at = from;
  while (command.endsWith("\\") && at < lines.length) command += `\n${lines[at++]}`;
  const heredoc = HEREDOC.exec(command);
  if (heredoc === null) return [command, at];
  while (at < lines.length) {
    const line = lines[at++]!;
    command += `\n${line}`;
    if (line.trim() === heredoc[2]) break;
  }
  return [command, at];
}

function commands(lines: readonly string[]): Step[] {
  const steps: Step[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = at + 1;
    const [command, next] = withContinuation(lines[at]!, lines, at + 1);
    at = next;
    if (command.trim() !== "" && !isRemark(command.trim()))
      steps.push({ line, machine: null, command, expected: null });
  }
  return steps;
}
