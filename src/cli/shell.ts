import { Command } from "commander";
import { editText } from "../shell/interactive/editor.ts";
import { interact } from "../shell/interactive/interactive.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { loadSession, type SessionCliOptions } from "./load-session.ts";
import { createLog } from "./log.ts";
import { addCommonOptions, wholeNumber } from "./options.ts";

const WELCOME = `A simulated cluster. Time stands still until "sleep SECONDS" or "wait"; "help" lists the commands, "exit" ends.
`;

const EXAMPLES = `
Examples:
  podpath shell
  podpath shell -f topologies/tutorial.yaml --namespace new-namespace`;

/** Adds what `shell` and `run` have in common. */
export function addSessionOptions(command: Command): Command {
  return command
    .option("-n, --namespace <name>", "namespace of kubectl's context", "default")
    .option(
      "--start-seconds <seconds>",
      "time to pull an image and start a container, one after the other on each node",
      wholeNumber(0, 3600),
      6,
    );
}

/** `podpath shell`: kubectl, docker, ip, iptables, curl … typed at the machines of a simulated cluster. */
export function shellCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("shell")
    .description("a terminal in the cluster: kubectl, docker, ip, iptables, curl, trace …")
    .addHelpText("after", EXAMPLES);
  addSessionOptions(command);
  return addCommonOptions(command, ["text"]).action(async (options: SessionCliOptions) => {
    const session = loadSession(options, createLog(console, options.logLevel), editText);
    const isTerminal = console.outIsTerminal && process.stdin.isTTY === true;
    if (isTerminal) console.out(WELCOME);
    const code = await interact(session, {
      input: process.stdin,
      output: process.stdout,
      isTerminal,
      err: console.err,
    });
    finish(code === 0 ? EXIT.ok : EXIT.fails);
  });
}
