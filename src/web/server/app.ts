import { Hono } from "hono";
import type { SecureHeadersVariables } from "hono/secure-headers";
import type { Source } from "../../topology/load/source.ts";
import { apiRoutes } from "./api.ts";
import type { Asset } from "./assets.ts";
import { guard, headers } from "./guard.ts";
import { Workspace } from "./workspace.ts";

/** What a server serves. */
export interface AppOptions {
  /** The topology, read already: nothing is read from disk afterwards. */
  readonly sources: readonly Source[];
  readonly seed: number;
  /** The built page, by URL path. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** The port by which the server is reached, known once it listens. */
  readonly port: () => number;
}

const NOT_BUILT = "The page has not been built: npm run build\n";
/** Stands in the page for the nonce that its answer's Content-Security-Policy names. */
const NONCE_MARK = "%CSP_NONCE%";

/**
 * The page and its API as one application; see `guard.ts` for who may use it.
 *
 * @throws TopologyError when the topology has faults.
 */
export function createApp({
  sources,
  seed,
  assets,
  port,
}: AppOptions): Hono<{ Variables: SecureHeadersVariables }> {
  const workspace = new Workspace(seed);
  workspace.load(sources);
  const app = new Hono<{ Variables: SecureHeadersVariables }>();
  app.use(...headers(), guard(port));
  app.route("/api", apiRoutes(workspace, sources));
  app.get("/", (c) => {
    const page = assets.get("/index.html");
    if (page === undefined) return c.text(NOT_BUILT, 503);
    const nonce = c.get("secureHeadersNonce") ?? "";
    return c.html(new TextDecoder().decode(page.body).replaceAll(NONCE_MARK, nonce));
  });
  app.get("*", (c) => {
    const asset = c.req.path === "/index.html" ? undefined : assets.get(c.req.path);
    if (asset === undefined) return c.text("There is no such page.\n", 404);
    return c.body(asset.body, 200, { "Content-Type": asset.type });
  });
  return app;
}
