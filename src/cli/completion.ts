import { homedir } from "node:os";
import { Argument, Command } from "commander";
import type { ClusterModel } from "../cluster/objects/model.ts";
import { TopologyError } from "../topology/load/fault.ts";
import { loadTopology } from "../topology/load/load.ts";
import { builtInTopology, readSources } from "../topology/load/source.ts";
import { complete } from "./complete.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const HELP = `
To have it in every new shell:
  podpath completion bash > ~/.local/share/bash-completion/completions/podpath
  podpath completion zsh  > "\${fpath[1]}/_podpath"
  podpath completion fish > ~/.config/fish/completions/podpath.fish
In this shell alone:  source <(podpath completion bash)`;

/** `podpath completion`: the script by which a shell completes podpath's command lines. */
export function completionCommand(console: Console, finish: (code: ExitCode) => void): Command {
  return new Command("completion")
    .description("print the script by which a shell completes commands, options and the topology's names")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .addHelpText("after", HELP)
    .action(async (shell: Shell) => {
      const { default: tabtab } = await import("@pnpm/tabtab");
      console.out(await tabtab.getCompletionScript({ name: "podpath", completer: "podpath", shell }));
      finish(EXIT.ok);
    });
}

/**
 * What the script calls: says what may stand next on the line that the shell describes in COMP_LINE and COMP_POINT. It
 * never complains, since whoever presses Tab sees no messages.
 */
export function completionServerCommand(
  console: Console,
  finish: (code: ExitCode) => void,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Command {
  const command: Command = new Command("completion-server").argument("[words...]");
  return command.action(async (words: readonly string[]) => {
    const { default: tabtab } = await import("@pnpm/tabtab");
    const { partial, lastPartial } = tabtab.parseEnv(environment);
    const before = partial.split(/\s+/).slice(1, -1);
    const found = complete(command.parent ?? command, before, lastPartial, modelOf);
    if (found === "files") console.out("__tabtab_complete_files__\n");
    else {
      const shell = shellOf(environment);
      const lines: string[] = [];
      tabtab.log([...found], shell, (line) => lines.push(line));
      const cut = shell === "bash" ? splitAt(lastPartial, words) : 0;
      for (const line of lines) console.out(`${line.slice(cut)}\n`);
    }
    finish(EXIT.ok);
  });
}

function shellOf({ SHELL = "" }: Readonly<Record<string, string | undefined>>): Shell {
  return SHELLS.find((shell) => SHELL.endsWith(shell)) ?? "bash";
}

/** Without bash-completion's help bash takes each part between colons for a word of its own, and completes that. */
const splitAt = (typed: string, words: readonly string[]): number =>
  words.includes(":") ? typed.lastIndexOf(":") + 1 : 0;

/** Standard input is the user's terminal here, so `-f -` gives no names. */
function modelOf(paths: readonly string[]): ClusterModel | null {
  if (paths.includes("-")) return null;
  const files = paths.map((path) => path.replace(/^~(?=\/|$)/, homedir()));
  try {
    return loadTopology(readSources(files.length === 0 ? [builtInTopology()] : files)).model;
  } catch (error) {
    if (error instanceof TopologyError) return null;
    throw error;
  }
}
