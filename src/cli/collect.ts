import { Command } from "commander";
import { COLLECT_SCRIPT } from "../topology/snapshot/collect-script.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

const EXAMPLES = `
The script reads and changes nothing; it needs root to see every pod. PODPATH_NODE names the node
otherwise than its host name.

Examples:
  podpath collect > collect.sh
  ssh root@node1 sh -s < collect.sh          makes podpath-node1 there
  podpath trace -f podpath-node1 --from node/node1 --to 10.96.0.10:80`;

/** `podpath collect`: the script that copies a node's network state into a folder, which `-f` then takes. */
export function collectCommand(console: Console, finish: (code: ExitCode) => void): Command {
  return new Command("collect")
    .description("print a shell script that copies a real node's network state into a folder for -f")
    .addHelpText("after", EXAMPLES)
    .action(() => {
      console.out(COLLECT_SCRIPT);
      finish(EXIT.ok);
    });
}
