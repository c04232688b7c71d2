import { Command } from "commander";
import { builtInTopology, readSources } from "../topology/load/source.ts";
import { RequestError } from "../trace/request.ts";
import { PortError, type RunningServer, serve } from "../web/server/serve.ts";
import type { Console } from "./console.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { addCommonOptions, type CommonOptions, wholeNumber } from "./options.ts";

interface ServeOptions extends CommonOptions {
  readonly port: number;
}

const DEFAULT_PORT = 8731;

const EXAMPLES = `
The page is served on 127.0.0.1 only, to this machine's browsers only. The topology is read once, at the start; what is
edited in the page stays in the page.

Examples:
  podpath serve
  podpath serve -f cluster.yaml --port 9000`;

/** `podpath serve`: the page where the packet moves, until the process is told to end. */
export function serveCommand(console: Console, finish: (code: ExitCode) => void): Command {
  const command = new Command("serve")
    .description("serve a page on 127.0.0.1 where the packet moves")
    .option("--port <number>", "port to listen on; 0 takes a free one", wholeNumber(0, 65535), DEFAULT_PORT)
    .addHelpText("after", EXAMPLES);
  return addCommonOptions(command, ["text"]).action(async ({ file, seed, port }: ServeOptions) => {
    const server = await started(() =>
      serve({ sources: readSources(file ?? [builtInTopology()]), seed, port }),
    );
    console.out(`podpath: serving ${server.url} (Ctrl-C ends)\n`);
    await toldToEnd();
    await server.close();
    finish(EXIT.ok);
  });
}

async function started(start: () => Promise<RunningServer>): Promise<RunningServer> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof PortError) throw new RequestError(`--port: ${error.message}`);
    throw error;
  }
}

const toldToEnd = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
