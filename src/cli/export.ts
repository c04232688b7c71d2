import { Command, Option } from "commander";
import { didYouMean } from "../cluster/objects/nearest.ts";
import { EXPORT_FORMATS, type ExportFormat, exportNode } from "../topology/export/export.ts";
import { PROTOCOLS, RequestError, type TraceProtocol } from "../trace/request.ts";
import { send } from "../trace/send.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { loadCluster } from "./load-cluster.ts";
import { createLog } from "./log.ts";
import { addCommonOptions, type CommonOptions, need } from "./options.ts";

interface ExportOptions extends CommonOptions {
  readonly node: string;
  readonly format: ExportFormat;
  readonly from?: string;
  readonly to?: string;
  readonly protocol?: TraceProtocol;
}

const EXAMPLES = `
Examples:
  podpath export --node srv-k8s-node1 --format iptables-save
  podpath export --node srv-k8s-node2 --format conntrack --from pod/client --to svc/nginx:80`;

/** `podpath export`: a node's state as the real tool prints it there, at the start or after one packet. */
export function exportCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("export")
    .description("print a node's state as the real tool would on that node")
    .option("--node <name>", "which node")
    .addOption(new Option("--format <tool>", "as which tool prints it").choices(EXPORT_FORMATS))
    .option("--from <source>", "send a packet first, as trace does: who sends")
    .option("--to <target>", "… and whom to")
    .addOption(new Option("--protocol <protocol>", "… by which protocol").choices(PROTOCOLS))
    .addHelpText("after", EXAMPLES);
  return addCommonOptions(command, ["text"]).action((options: ExportOptions) => {
    need(command, "node", "format");
    const cluster = loadCluster(options, createLog(console, options.logLevel), console);
    const { node, format, from, to, protocol } = options;
    if (!cluster.nodes.has(node))
      throw new RequestError(`no node ${node}${didYouMean(node, cluster.nodes.keys())}`);
    if ((from === undefined) !== (to === undefined)) throw new RequestError("--from and --to go together");
    if (from !== undefined && to !== undefined)
      send(cluster, { from, to, ...(protocol === undefined ? {} : { protocol }) });
    console.out(exportNode(cluster, node, format));
    finish(EXIT.ok);
  });
}
