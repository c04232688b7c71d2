import type { Command } from "../session/command.ts";
import { CommandError } from "../session/command.ts";
import { applyCommand, replaceCommand } from "./apply.ts";
import { readCall, type Subcommand } from "./call.ts";
import { completeKubectl } from "./complete.ts";
import { configCommand, versionCommand } from "./config.ts";
import { createCommand } from "./create.ts";
import { deleteCommand } from "./delete.ts";
import { describeCommand } from "./describe/describe.ts";
import { editCommand } from "./edit.ts";
import { execCommand } from "./exec.ts";
import { exposeCommand } from "./expose.ts";
import { getCommand } from "./get.ts";
import { annotateCommand, labelCommand } from "./label.ts";
import { logsCommand } from "./logs.ts";
import { cordonCommand, taintCommand, uncordonCommand } from "./node-commands.ts";
import { rollingUpdateCommand } from "./rolling-update/rolling-update.ts";
import { rolloutCommand } from "./rollout.ts";
import { runCommand } from "./run.ts";
import { scaleCommand } from "./scale.ts";
import { setCommand } from "./set-image.ts";

/** Every subcommand, as `kubectl help` lists them. */
const SUBCOMMANDS: readonly Subcommand[] = [
  createCommand,
  exposeCommand,
  runCommand,
  setCommand,
  getCommand,
  editCommand,
  deleteCommand,
  rolloutCommand,
  rollingUpdateCommand,
  scaleCommand,
  cordonCommand,
  uncordonCommand,
  taintCommand,
  describeCommand,
  logsCommand,
  execCommand,
  applyCommand,
  replaceCommand,
  labelCommand,
  annotateCommand,
  configCommand,
  versionCommand,
];

/** Flags that may stand before the subcommand and take a value. */
const GLOBAL = /^(-n|--namespace)$/;

/** `kubectl SUBCOMMAND …`, with the messages and tables of 1.5. */
export const kubectl: Command = {
  name: "kubectl",
  summary: "the cluster's objects",
  async run(session, args, io) {
    const { name, rest } = split(args);
    if (name === undefined || name === "help") {
      io.out(
        `kubectl controls the Kubernetes cluster manager.\n\nCommands: ${SUBCOMMANDS.map((one) => one.name).join(", ")}\n`,
      );
      return 0;
    }
    const subcommand = SUBCOMMANDS.find((one) => one.name === name);
    if (subcommand === undefined)
      throw new CommandError(
        `error: unknown command "${name}" for "kubectl"\nRun 'kubectl --help' for usage.`,
      );
    return (await subcommand.run(readCall(session, subcommand, rest, io))) ?? 0;
  },
  complete: (session, args) => completeKubectl(session, args, SUBCOMMANDS),
};

/** The subcommand's name, and everything else in its order. */
function split(args: readonly string[]): { name: string | undefined; rest: string[] } {
  const at = args.findIndex((arg, i) => !arg.startsWith("-") && !GLOBAL.test(args[i - 1] ?? ""));
  if (at < 0) return { name: undefined, rest: [] };
  return { name: args[at], rest: [...args.slice(0, at), ...args.slice(at + 1)] };
}
