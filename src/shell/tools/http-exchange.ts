/** One HTTP request over the simulated network: real segments there and back; what is answered is the image's. */
import type { Errno } from "../../linux/socket/error.ts";
import type { TcpConnection } from "../../linux/socket/tcp-connection.ts";
import { IPPROTO_TCP } from "../../packet/packet.ts";
import { imageOf } from "../images/image.ts";
import { CommandError } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { answerOf, type HttpRequest, type HttpResponse, responseLength } from "./http-answer.ts";

/** What came of a request. `timeout`: nothing came in time. */
export type Exchange =
  | { readonly response: HttpResponse; readonly remote: string }
  | { readonly failure: Errno | "timeout" | "empty"; readonly seconds: number };

/** Seconds after which connect(2) gives up by itself. */
const CONNECT_TIMEOUT = 127;

/** Sends a request from where the session is and waits for the answer, at most `limit` seconds. */
export function exchange(
  session: Session,
  target: { address: number; port: number },
  request: HttpRequest,
  limit = CONNECT_TIMEOUT + 1,
): Exchange {
  const { netns } = session.place;
  const length = requestLength(request);
  prepareServers(session, request);
  let connection: TcpConnection | Errno = "EINVAL";
  const begin = session.plane.now;
  const deliveries = session.capture.deliveriesDuring(() => {
    connection = netns.sockets.tcp.connect({
      destination: target.address,
      destinationPort: target.port,
      sourcePort: freePort(session),
      requestBytes: length,
      close: true,
      retransmit: true,
    });
    session.cluster.network.settle();
    const end = begin + limit;
    while (isWaiting(connection) && session.plane.now < end) session.plane.advance(1);
  });
  const seconds = session.plane.now - begin;
  if (typeof connection === "string") return { failure: connection, seconds };
  const { error, bytesReceived } = connection as TcpConnection;
  if (error !== null) return { failure: error.errno, seconds };
  if (bytesReceived > 0) {
    const receiver = deliveries.find(
      ({ packet }) => packet.protocol === IPPROTO_TCP && packet.payloadLength > 0,
    );
    return { response: answerOf(session, receiver ?? null, request), remote: receiver?.netns ?? "" };
  }
  const established = (connection as TcpConnection).state !== "SYN_SENT";
  (connection as TcpConnection).abort();
  return { failure: established ? "empty" : "timeout", seconds };
}

const isWaiting = (connection: TcpConnection | Errno): boolean =>
  typeof connection !== "string" && connection.error === null && connection.bytesReceived === 0;

const requestLength = ({ method, path, host }: HttpRequest): number =>
  `${method} ${path} HTTP/1.1\r\nUser-Agent: curl/7.29.0\r\nHost: ${host}\r\nAccept: */*\r\n\r\n`.length;

/** Every web server answers with as many bytes as its page has. */
function prepareServers(session: Session, request: HttpRequest): void {
  for (const { model, listeners } of session.cluster.pods())
    for (const { listener } of listeners) {
      const image = imageOf(model.containers.find(({ name }) => name === listener.owner)?.image ?? "");
      if (image.server !== null) listener.respondBytes = responseLength(image, request);
    }
}

const MOST_TRIES = 100;

/** A local port that no connection to anywhere has been seen on lately. */
function freePort(session: Session): number {
  const { chooser, sysctl, netfilter } = session.place.netns;
  const [first, last] = sysctl.localPortRange;
  const used = new Set<number>();
  for (const entry of netfilter.conntrack?.entries() ?? []) used.add(entry.original.sport);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const port = first + chooser.pick(last - first + 1, "port");
    if (!used.has(port)) return port;
  }
  throw new CommandError("curl: (7) Couldn't connect to server", 7);
}
