import { formatIpv4 } from "../../packet/address.ts";
import { type Command, CommandError } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { type HttpRequest, headText } from "./http-answer.ts";
import { type Exchange, exchange } from "./http-exchange.ts";
import { resolveName } from "./resolve-name.ts";
import { readWords, type Words } from "./words.ts";

/** `curl [-I] [-s] [-i] [-o FILE] [-w FORMAT] [-m SECONDS] URL…` (curl 7.29, as on the tutorial's machines) */
export const curl: Command = {
  name: "curl",
  summary: "an HTTP request over the simulated network",
  run(session, args, io) {
    const words = readWords("curl", args, {
      head: { type: "boolean", short: "I" },
      include: { type: "boolean", short: "i" },
      silent: { type: "boolean", short: "s" },
      "show-error": { type: "boolean", short: "S" },
      fail: { type: "boolean", short: "f" },
      insecure: { type: "boolean", short: "k" },
      location: { type: "boolean", short: "L" },
      output: { type: "string", short: "o" },
      "write-out": { type: "string", short: "w" },
      "max-time": { type: "string", short: "m" },
      "connect-timeout": { type: "string" },
      header: { type: "string", short: "H" },
      request: { type: "string", short: "X" },
      "user-agent": { type: "string", short: "A" },
    });
    if (words.positionals.length === 0)
      throw new CommandError("curl: try 'curl --help' or 'curl --manual' for more information", 2);
    let code = 0;
    for (const url of words.positionals) {
      const { text, error, code: own } = fetchOne(session, url, words);
      io.out(text);
      if (error !== "" && (!words.has("silent") || words.has("show-error"))) io.err(`${error}\n`);
      code = own || code;
    }
    return code;
  },
};

interface Result {
  text: string;
  error: string;
  code: number;
}

/** What a URL names. The scheme may be left out. */
export function parseUrl(url: string): { host: string; port: number; path: string } | null {
  const match = /^(?:(https?):\/\/)?([^/:?#]+)(?::(\d+))?([/?#].*)?$/i.exec(url);
  if (match === null) return null;
  const [, scheme = "http", host = "", port, path = "/"] = match;
  return { host, port: port === undefined ? (scheme === "https" ? 443 : 80) : Number(port), path };
}

function fetchOne(session: Session, url: string, words: Words): Result {
  const parsed = parseUrl(url);
  if (parsed === null || parsed.port < 1 || parsed.port > 65535)
    return { text: "", error: "curl: (3) <url> malformed", code: 3 };
  const { host, port, path } = parsed;
  const address = resolveName(session, host);
  if (address === null)
    return { text: "", error: `curl: (6) Could not resolve host: ${host}; Unknown error`, code: 6 };
  const method = words.has("head") || words.text("request") === "HEAD" ? "HEAD" : "GET";
  const request: HttpRequest = { method, path, host: `${host}:${port}` };
  const limit = Math.min(words.number("max-time", 128), words.number("connect-timeout", 128));
  const outcome = exchange(session, { address, port }, request, limit);
  if ("failure" in outcome) return failed(outcome, `${host}:${port}`, words);
  const { response } = outcome;
  const head = headText(response).replaceAll("\r\n", "\n");
  const body = method === "HEAD" ? "" : response.body;
  const shown = method === "HEAD" ? head : words.has("include") ? head + body : body;
  const file = words.text("output");
  if (file !== undefined && file !== "/dev/null") session.files.write(file, shown);
  const written = writeOut(words.text("write-out") ?? "", response.code, formatIpv4(address));
  const isError = words.has("fail") && response.code >= 400;
  return {
    text: (file === undefined && !isError ? shown : "") + written,
    error: isError ? `curl: (22) The requested URL returned error: ${response.code} ${response.reason}` : "",
    code: isError ? 22 : 0,
  };
}

function writeOut(format: string, code: number, address: string): string {
  return format
    .replaceAll("%{http_code}", String(code).padStart(3, "0"))
    .replaceAll("%{remote_ip}", address)
    .replaceAll("\\n", "\n");
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Connection refused",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
  ETIMEDOUT: "Connection timed out",
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
};

function failed(outcome: Exclude<Exchange, { response: unknown }>, target: string, words: Words): Result {
  const text = writeOut(words.text("write-out") ?? "", 0, "");
  const { failure, seconds } = outcome;
  if (failure === "timeout")
    return { text, error: `curl: (28) Connection timed out after ${seconds * 1000} milliseconds`, code: 28 };
  if (failure === "empty") return { text, error: "curl: (52) Empty reply from server", code: 52 };
  if (failure === "ECONNRESET")
    return { text, error: "curl: (56) Recv failure: Connection reset by peer", code: 56 };
  return { text, error: `curl: (7) Failed connect to ${target}; ${REASONS[failure] ?? failure}`, code: 7 };
}
