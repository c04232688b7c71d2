/**
 * Who may talk to the page's server: the page itself. A page of another origin cannot read answers anyway, but could
 * send requests, and by DNS rebinding (a foreign name that resolves to 127.0.0.1) read answers too; so the Host must be
 * ours by name and port, and the Origin, where a browser names one, our own.
 */
import type { MiddlewareHandler } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";

/** The hosts under which a browser on this machine reaches the port. */
function ownHosts(port: number): ReadonlySet<string> {
  const names = ["127.0.0.1", "localhost"];
  return new Set(names.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])));
}

/** Refuses a foreign Host (421), a foreign Origin and requests that another site makes a browser send (403). */
export function guard(port: () => number): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header("host")?.toLowerCase();
    if (host === undefined || !ownHosts(port()).has(host))
      return c.json({ error: "this server answers only to its own name" }, 421);
    const origin = c.req.header("origin");
    if (origin !== undefined && origin.toLowerCase() !== `http://${host}`)
      return c.json({ error: "requests from other origins are refused" }, 403);
    const site = c.req.header("sec-fetch-site");
    const isNavigation = c.req.method === "GET" && c.req.header("sec-fetch-mode") === "navigate";
    if (site !== undefined && site !== "same-origin" && site !== "none" && !isNavigation)
      return c.json({ error: "requests from other sites are refused" }, 403);
    return await next();
  };
}

/** Nothing but the page's own files, no inline script, no frames, no referrer; nothing is kept in a cache. */
export function headers(): MiddlewareHandler[] {
  return [
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // the editor makes its style sheets at run time
        styleSrc: ["'self'", NONCE],
        imgSrc: ["'self'", "data:"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
      },
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
      strictTransportSecurity: false,
      permissionsPolicy: { camera: [], microphone: [], geolocation: [], usb: [] },
    }),
    async (c, next) => {
      await next();
      c.res.headers.set("Cache-Control", "no-store");
    },
  ];
}
