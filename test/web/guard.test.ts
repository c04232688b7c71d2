import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtInTopology, readSources } from "../../src/topology/load/source.ts";
import { PortError, type RunningServer, serve } from "../../src/web/server/serve.ts";
import { ask } from "./request.ts";

const folder = mkdtempSync(join(tmpdir(), "podpath-web-"));
let server: RunningServer;

beforeAll(async () => {
  const page = join(folder, "page");
  mkdirSync(join(page, "assets"), { recursive: true });
  writeFileSync(
    join(page, "index.html"),
    '<!doctype html><meta name="csp-nonce" content="%CSP_NONCE%"><title>podpath</title>',
  );
  writeFileSync(join(page, "assets", "page.js"), "export {};");
  writeFileSync(join(page, "assets", "notes.txt"), "no file of the page");
  writeFileSync(join(folder, "secret.js"), "secret");
  server = await serve({ sources: readSources([builtInTopology()]), seed: 1, port: 0, page });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const own = () => `127.0.0.1:${server.port}`;
const PORT = ":PORT";
const json = { "Content-Type": "application/json" };

/** Header values with `:PORT` for the server's own port; what is answered. */
const requests: readonly (readonly [string, Record<string, string>, number])[] = [
  ["its own address", { Host: `127.0.0.1${PORT}` }, 200],
  ["localhost", { Host: `localhost${PORT}` }, 200],
  ["a host in capitals", { Host: `LocalHost${PORT}` }, 200],
  ["a foreign host", { Host: "evil.example" }, 421],
  ["a foreign host with the port", { Host: `evil.example${PORT}` }, 421],
  ["a host that begins like its own", { Host: `127.0.0.1.evil.example${PORT}` }, 421],
  ["a host that ends like its own", { Host: `evil-localhost${PORT}` }, 421],
  ["its address without the port", { Host: "127.0.0.1" }, 421],
  ["another port", { Host: "127.0.0.1:1" }, 421],
  ["all addresses", { Host: `0.0.0.0${PORT}` }, 421],
  ["user information", { Host: `evil@127.0.0.1${PORT}` }, 400],
  ["its own origin", { Host: `127.0.0.1${PORT}`, Origin: `http://127.0.0.1${PORT}` }, 200],
  ["its own origin by name", { Host: `localhost${PORT}`, Origin: `http://localhost${PORT}` }, 200],
  ["a foreign origin", { Host: `127.0.0.1${PORT}`, Origin: "http://evil.example" }, 403],
  ["another port's origin", { Host: `127.0.0.1${PORT}`, Origin: "http://127.0.0.1:1" }, 403],
  ["https of its own name", { Host: `127.0.0.1${PORT}`, Origin: `https://127.0.0.1${PORT}` }, 403],
  ["its other name's origin", { Host: `127.0.0.1${PORT}`, Origin: `http://localhost${PORT}` }, 403],
  ["no origin at all (a sandboxed frame)", { Host: `127.0.0.1${PORT}`, Origin: "null" }, 403],
  [
    "what another site makes a browser fetch",
    { Host: `127.0.0.1${PORT}`, "Sec-Fetch-Site": "cross-site" },
    403,
  ],
  [
    "what another port of this machine does",
    { Host: `127.0.0.1${PORT}`, "Sec-Fetch-Site": "same-site" },
    403,
  ],
  ["what the page itself fetches", { Host: `127.0.0.1${PORT}`, "Sec-Fetch-Site": "same-origin" }, 200],
  ["an address that was typed", { Host: `127.0.0.1${PORT}`, "Sec-Fetch-Site": "none" }, 200],
  [
    "a link on another site",
    { Host: `127.0.0.1${PORT}`, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" },
    200,
  ],
];

describe("who may talk to the server", () => {
  it.each(requests)("%s", async (_, headers, status) => {
    const filled = Object.fromEntries(
      Object.entries(headers).map(([key, value]) => [key, value.replace(PORT, `:${server.port}`)]),
    );
    for (const path of ["/", "/api/topology"])
      expect((await ask(server.port, path, { headers: filled })).status).toBe(status);
  });

  it("no foreign host or origin gets a topology by POST either", async () => {
    const body = JSON.stringify({ question: { from: "pod/client", to: "svc/nginx:80" } });
    const from = (headers: Record<string, string>) =>
      ask(server.port, "/api/trace", { method: "POST", headers: { ...json, ...headers }, body });
    expect((await from({ Host: "evil.example" })).status).toBe(421);
    expect((await from({ Host: own(), Origin: "http://evil.example" })).status).toBe(403);
  });

  it("a form's body, which needs nobody's leave, is not taken", async () => {
    const headers = { Host: own(), "Content-Type": "text/plain" };
    const answer = await ask(server.port, "/api/topology", { method: "POST", headers, body: "{}" });
    expect(answer.status).toBe(400);
  });

  it("there is no CORS", async () => {
    const headers = { Host: own(), Origin: `http://${own()}`, "Access-Control-Request-Method": "POST" };
    const answer = await ask(server.port, "/api/trace", { method: "OPTIONS", headers });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("listens on loopback only", async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .filter((one) => one !== undefined && !one.internal && one.family === "IPv4");
    const reached = await Promise.all(outside.map((one) => connects(one!.address, server.port)));
    expect(reached).not.toContain(true);
    expect(await connects("127.0.0.1", server.port)).toBe(true);
  });

  it("says so when the port is taken", async () => {
    const again = serve({ sources: readSources([builtInTopology()]), seed: 1, port: server.port });
    await expect(again).rejects.toThrow(new PortError(server.port, "EADDRINUSE"));
  });
});

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 1000 });
    const end = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", end(true)).on("error", end(false)).on("timeout", end(false));
  });
}

describe("what every answer says to the browser", () => {
  it.each(["/", "/assets/page.js", "/api/topology", "/nothing"])("%s", async (path) => {
    const { headers } = await ask(server.port, path, { headers: { Host: own() } });
    const policy = String(headers["content-security-policy"]).split("; ");
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ]),
    );
    expect(String(headers["content-security-policy"])).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-store",
    });
  });

  it("the nonce is another each time, and the page has it", async () => {
    const nonces = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const { headers, body } = await ask(server.port, "/", { headers: { Host: own() } });
      const nonce = /'nonce-([^']+)'/.exec(String(headers["content-security-policy"]))![1]!;
      expect(body).toContain(`content="${nonce}"`);
      nonces.add(nonce);
    }
    expect(nonces.size).toBe(3);
  });
});

describe("no file but the page's own", () => {
  it.each([
    "/secret.js",
    "/../secret.js",
    "/assets/../../secret.js",
    "/%2e%2e/secret.js",
    "/..%2fsecret.js",
    "/%252e%252e/secret.js",
    "/..%5csecret.js",
    "//etc/passwd",
    "/assets//page.js",
    "/assets/notes.txt",
    "/assets",
    "/assets/",
    "/index.html",
    "/page.js%00.html",
    "/api/../../secret.js",
  ])("%s", async (path) => {
    const { status, body } = await ask(server.port, path, { headers: { Host: own() } });
    expect([400, 404]).toContain(status);
    expect(body).not.toContain("secret");
  });

  it("its own is there", async () => {
    const { status, headers, body } = await ask(server.port, "/assets/page.js", { headers: { Host: own() } });
    expect([status, headers["content-type"], body]).toEqual([
      200,
      "text/javascript; charset=utf-8",
      "export {};",
    ]);
  });

  it("a page that has not been built is said to be missing", async () => {
    const bare = await serve({
      sources: readSources([builtInTopology()]),
      seed: 1,
      port: 0,
      page: join(folder, "nowhere"),
    });
    const { status, body } = await ask(bare.port, "/", { headers: { Host: `127.0.0.1:${bare.port}` } });
    await bare.close();
    expect([status, body]).toEqual([503, "The page has not been built: npm run build\n"]);
  });
});
