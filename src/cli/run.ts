import { readFileSync } from "node:fs";
import { Command } from "commander";
import { runScript } from "../shell/script/run-script.ts";
import { RequestError } from "../trace/request.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { loadSession, type SessionCliOptions } from "./load-session.ts";
import { createLog } from "./log.ts";
import { addCommonOptions } from "./options.ts";
import { addSessionOptions } from "./shell.ts";

interface RunOptions extends SessionCliOptions {
  readonly expect?: boolean;
}

const HELP = `
A script holds commands of podpath shell, one a line, or a session as it stands on a terminal: lines
"[root@MACHINE ~]# COMMAND" and below each what it printed. With --expect that is compared: "..." in a line
stands for any text, a line of six dots or more for any lines.

Examples:
  podpath run steps.sh
  podpath run --expect -f topologies/tutorial.yaml -n new-namespace session.txt`;

/** `podpath run SCRIPT`: the shell without a person. Exit code 1 at the first command that fails or differs. */
export function runCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("run")
    .description("run a script of shell commands, and compare what it prints")
    .argument("<script>", "a file, or - for standard input")
    .option("--expect", "compare with the outputs written in the script")
    .addHelpText("after", HELP);
  addSessionOptions(command);
  return addCommonOptions(command, ["text"]).action(async (script: string, options: RunOptions) => {
    const text = readScriptText(script);
    const session = loadSession(options, createLog(console, options.logLevel));
    const expect = options.expect === true;
    const { fault, commands } = await runScript(session, text, console, { expect });
    if (fault === null) {
      if (expect) console.err(`podpath: ${commands} commands printed what ${script} says\n`);
      finish(EXIT.ok);
      return;
    }
    console.err(`podpath: ${script}:${fault.line}: ${fault.command.split("\n")[0]}\n  ${fault.message}\n`);
    finish(EXIT.fails);
  });
}

function readScriptText(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch {
    throw new RequestError(`${path}: no such file can be read`);
  }
}
