import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { builtInTopology, readSources, type Source } from "../../src/topology/load/source.ts";
import { type RunningServer, serve } from "../../src/web/server/serve.ts";

const CHROMIUM = "/usr/bin/chromium";

/** Debian's Chromium is there; without it the browser tests are skipped, which they say. */
export const hasChromium = existsSync(CHROMIUM);
if (!hasChromium) console.warn(`browser tests skipped: no ${CHROMIUM} (apt-get install chromium)`);

/** The topology that comes with the package. */
export const builtIn = readSources([builtInTopology()]);

/** The built page, a browser, and what goes wrong in it. */
export interface Bench {
  readonly browser: Browser;
  readonly page: string;
  /** Servers by what they serve. */
  readonly servers: Map<readonly Source[], RunningServer>;
  close(): Promise<void>;
}

/** Builds the page as it is in the sources and starts the browser. */
export async function openBench(): Promise<Bench> {
  const page = mkdtempSync(join(tmpdir(), "podpath-page-"));
  await build({
    configFile: fileURLToPath(new URL("../../src/web/page/vite.config.ts", import.meta.url)),
    logLevel: "warn",
    build: { outDir: page, emptyOutDir: true },
  });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--disable-quic",
    ],
  });
  const servers = new Map<readonly Source[], RunningServer>();
  const close = async (): Promise<void> => {
    await browser.close();
    for (const server of servers.values()) await server.close();
    rmSync(page, { recursive: true });
  };
  return { browser, page, servers, close };
}

/** A page of a topology in a window of its own. */
export interface Opened {
  readonly page: Page;
  readonly server: RunningServer;
  /** What the page complained of: script errors, refused styles and the like, and requests to anybody else. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly sources: readonly Source[];
  readonly hash?: string;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce" | "no-preference";
}

export async function openPage(bench: Bench, options: OpenOptions): Promise<Opened> {
  const { sources, hash = "", width = 1440, height = 900, colorScheme = "light" } = options;
  const server = bench.servers.get(sources) ?? (await serve({ sources, seed: 1, port: 0, page: bench.page }));
  bench.servers.set(sources, server);
  const context: BrowserContext = await bench.browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion: options.reducedMotion ?? "reduce",
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // a fault in the topology is answered with 422, which the browser reports as an error
    if (message.type() === "error" && !/status of 4(22|00)/.test(message.text()))
      complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(server.url))
      complaints.push(`asks ${request.url()}`);
  });
  await page.goto(`${server.url}${hash}`);
  await page.getByRole("button", { name: "Trace", exact: true }).waitFor();
  return { page, server, complaints, close: () => context.close() };
}
