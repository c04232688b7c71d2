/** What is answered to an HTTP request, by whoever took it. */
import type { DeliverEvent } from "../../linux/recorder.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { type Image, imageOf } from "../images/image.ts";
import type { Session } from "../session/session.ts";
import { apiAnswer } from "./api-server.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD";
  readonly path: string;
  readonly host: string;
}

/** Status line's code and words, headers in their order, body. */
export interface HttpResponse {
  readonly code: number;
  readonly reason: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

const API_PORTS = new Set([8080, 6443]);

/** The answer of the container, the API server or another process that got the request. */
export function answerOf(
  session: Session,
  receiver: DeliverEvent | null,
  request: HttpRequest,
): HttpResponse {
  const date = httpDate(session.plane.now);
  if (receiver === null) return plain(date, "");
  const { owner, packet } = receiver;
  const pod = podBehind(session, receiver);
  if (pod === null) {
    if (owner === null && API_PORTS.has(packet.dport)) return json(date, apiAnswer(session, request.path));
    return plain(date, "ok");
  }
  const container = pod.containers.find(({ name }) => name === pod.container);
  const image = imageOf(container?.image ?? "");
  const response = image.server === null ? plain(date, `${pod.name}\n`) : serve(image, request, date);
  log(session, `${pod.namespace}/${pod.name}/${pod.container}`, packet.src, request, response);
  return response;
}

interface Behind {
  namespace: string;
  name: string;
  container: string;
  containers: readonly { name: string; image: string }[];
}

/** The pod whose container has the request; docker-proxy hands it on to the pod that published the port. */
function podBehind(session: Session, { netns, owner, packet }: DeliverEvent): Behind | null {
  for (const { model, netns: own } of session.cluster.pods()) {
    const { namespace, name, containers } = model;
    if (owner === "docker-proxy" && model.nodeName === netns) {
      const published = containers.find(({ ports }) =>
        ports.some(({ hostPort }) => hostPort === packet.dport),
      );
      if (published !== undefined) return { namespace, name, container: published.name, containers };
    }
    const container = containers.find((one) => one.name === owner);
    const listens = container?.ports.some(({ containerPort }) => containerPort === packet.dport);
    if (own.name === netns && container !== undefined && listens === true)
      return { namespace, name, container: container.name, containers };
  }
  return null;
}

/** Headers and body of a web server's answer. */
function serve(image: Image, { path }: HttpRequest, date: string): HttpResponse {
  const isThere = path === "/" || path === "/index.html";
  const body = isThere ? image.page : notFound(image, path);
  const length = String(Buffer.byteLength(body));
  const [code, reason] = isThere ? [200, "OK"] : [404, "Not Found"];
  if (image.server?.startsWith("nginx")) {
    const about = isThere ? [["Last-Modified", image.lastModified] as const] : [];
    const tag = isThere
      ? ([
          ["ETag", image.etag],
          ["Accept-Ranges", "bytes"],
        ] as const)
      : [];
    const headers = [
      ["Server", image.server],
      ["Date", date],
      ["Content-Type", "text/html"],
      ["Content-Length", length],
      ...about,
      ["Connection", "keep-alive"],
      ...tag,
    ] as const;
    return { code, reason, headers, body };
  }
  const file = [
    ["Last-Modified", image.lastModified],
    ["ETag", image.etag],
    ["Accept-Ranges", "bytes"],
  ] as const;
  const headers = [
    ["Date", date],
    ["Server", image.server ?? ""],
    ...(isThere ? file : []),
    ["Content-Length", length],
    ["Content-Type", isThere ? "text/html" : "text/html; charset=iso-8859-1"],
  ] as const;
  return { code, reason, headers, body };
}

function notFound({ server }: Image, path: string): string {
  if (server?.startsWith("nginx"))
    return `<html>\r\n<head><title>404 Not Found</title></head>\r\n<body bgcolor="white">\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>${server}</center>\r\n</body>\r\n</html>\r\n`;
  return `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL ${path} was not found on this server.</p>\n</body></html>\n`;
}

function plain(date: string, body: string): HttpResponse {
  const headers = [
    ["Date", date],
    ["Content-Length", String(body.length)],
    ["Content-Type", "text/plain; charset=utf-8"],
  ] as const;
  return { code: 200, reason: "OK", headers, body };
}

function json(date: string, { code, body }: { code: number; body: string }): HttpResponse {
  const headers = [
    ["Content-Type", "application/json"],
    ["Date", date],
    ["Content-Length", String(body.length)],
  ] as const;
  return { code, reason: code === 200 ? "OK" : "Not Found", headers, body };
}

/** Bytes that the answer takes on the wire. */
export function responseLength(image: Image, request: HttpRequest): number {
  const response = serve(image, request, "Mon, 06 Nov 2017 12:52:23 GMT");
  return headText(response).length + (request.method === "HEAD" ? 0 : Buffer.byteLength(response.body));
}

/** Status line and headers with their empty line. */
export function headText({ code, reason, headers }: HttpResponse): string {
  return `HTTP/1.1 ${code} ${reason}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

const httpDate = (seconds: number): string => new Date(seconds * 1000).toUTCString();

/** A line of the server's access log, in the combined format. */
function log(
  session: Session,
  key: string,
  source: number,
  { method, path }: HttpRequest,
  { code, body }: HttpResponse,
): void {
  const time = new Date(session.plane.now * 1000).toUTCString();
  const [, day, month, year, clock] = /, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time) ?? [];
  const bytes = method === "HEAD" ? 0 : body.length;
  const line = `${formatIpv4(source)} - - [${day}/${month}/${year}:${clock} +0000] "${method} ${path} HTTP/1.1" ${code} ${bytes} "-" "curl/7.29.0" "-"\n`;
  const lines = session.requests.get(key) ?? [];
  session.requests.set(key, [...lines, line]);
}
