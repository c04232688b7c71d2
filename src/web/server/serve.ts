import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Source } from "../../topology/load/source.ts";
import { createApp } from "./app.ts";
import { builtPage, readAssets } from "./assets.ts";

/** The page's server only ever listens here. */
const LOOPBACK = "127.0.0.1";

export interface ServeOptions {
  readonly sources: readonly Source[];
  readonly seed: number;
  /** 0 takes any free port. */
  readonly port: number;
  /** Folder of the built page; that of the package when left out. */
  readonly page?: string;
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Stops listening and ends what connections stand. */
  close(): Promise<void>;
}

/** The port is somebody else's, or not for us to have. */
export class PortError extends Error {
  constructor(port: number, code: string) {
    super(code === "EADDRINUSE" ? `port ${port} is taken` : `cannot listen on port ${port}: ${code}`);
    this.name = "PortError";
  }
}

/**
 * Serves the page on 127.0.0.1.
 *
 * @throws TopologyError when the topology has faults, PortError when the port cannot be had.
 */
export async function serve({ sources, seed, port, page }: ServeOptions): Promise<RunningServer> {
  let bound = port;
  const app = createApp({ sources, seed, assets: readAssets(page ?? builtPage()), port: () => bound });
  const server = createServer(getRequestListener(app.fetch, { hostname: LOOPBACK }));
  await listening(server, port);
  bound = (server.address() as AddressInfo).port;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${LOOPBACK}:${bound}/`, port: bound, close };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", ({ code = "", message }: NodeJS.ErrnoException) =>
      reject(new PortError(port, code || message)),
    );
    server.listen(port, LOOPBACK, resolve);
  });
}
