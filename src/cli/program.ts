import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { WorkerError } from "../analysis/workers/pool.ts";
import { didYouMean } from "../cluster/objects/nearest.ts";
import { TopologyError } from "../topology/load/fault.ts";
import { RequestError } from "../trace/request.ts";
import { benchCommand } from "./bench.ts";
import { collectCommand } from "./collect.ts";
import { completionCommand, completionServerCommand } from "./completion.ts";
import type { Console } from "./console.ts";
import { diagnoseCommand } from "./diagnose.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { exportCommand } from "./export.ts";
import { generateCommand } from "./generate.ts";
import { labCommand } from "./lab.ts";
import { mergeCommand } from "./merge.ts";
import { reachCommand } from "./reach.ts";
import { rulesCommand } from "./rules.ts";
import { runCommand } from "./run.ts";
import { schemaCommand } from "./schema.ts";
import { serveCommand } from "./serve.ts";
import { shellCommand } from "./shell.ts";
import { traceCommand } from "./trace.ts";

const EXAMPLES = `
Examples:
  podpath trace --from pod/client --to svc/nginx:80
  podpath export --node srv-k8s-node1 --format iptables-save
  podpath COMMAND --help`;

/**
 * Runs one command line (`argv` without node and script) and returns the exit code. Never throws: what is wrong with
 * the input goes to standard error, one line a fault.
 */
export async function run(argv: readonly string[], console: Console): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const finish = (reached: ExitCode): void => {
    code = reached;
  };
  try {
    await program(console, finish).parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    return explain(error, console);
  }
}

function program(console: Console, finish: (code: ExitCode) => void): Command {
  const root = new Command("podpath")
    .description("what happens to a packet in a Kubernetes cluster, hop by hop, without a cluster")
    .version(version(), "-V, --version", "print the version")
    .addHelpText("after", EXAMPLES)
    .action(() => {
      const [word] = root.args;
      const hint = didYouMean(
        word ?? "",
        root.commands.map((one) => one.name()),
      );
      root.error(
        word === undefined
          ? "error: no command; see podpath --help"
          : `error: unknown command '${word}'${hint}`,
      );
    });
  for (const command of [
    traceCommand(console, finish),
    exportCommand(console, finish),
    generateCommand(console, finish),
    benchCommand(console, finish),
    rulesCommand(console, finish),
    runCommand(console, finish),
    shellCommand(console, finish),
    reachCommand(console, finish),
    mergeCommand(console, finish),
    labCommand(console, finish),
    diagnoseCommand(console, finish),
    collectCommand(console, finish),
    schemaCommand(console, finish),
    serveCommand(console, finish),
    completionCommand(console, finish),
  ])
    root.addCommand(command);
  root.addCommand(completionServerCommand(console, finish), { hidden: true });
  for (const command of [root, ...root.commands])
    command
      .exitOverride()
      .allowExcessArguments(command === root)
      .configureOutput({
        writeOut: console.out,
        writeErr: console.err,
        // a suggestion stands on a line of its own otherwise
        outputError: (text, write) => write(`podpath: ${text.trim().replaceAll("\n", " ")}\n`),
      });
  return root;
}

function version(): string {
  const { version: text } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return text;
}

function explain(error: unknown, console: Console): ExitCode {
  // commander has said what it had to say
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof TopologyError) {
    console.err(`${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof RequestError) {
    console.err(`podpath: error: ${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof WorkerError) {
    console.err(`podpath: error: ${error.message}\n`);
    return EXIT.internal;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.err(`podpath: a fault of the program's own: ${text}\n`);
  return EXIT.internal;
}
