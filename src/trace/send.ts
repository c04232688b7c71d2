import type { NetworkEvent, Recorder } from "../linux/recorder.ts";
import type { Errno } from "../linux/socket/error.ts";
import type { TraceableCluster } from "./cluster.ts";
import { fold } from "./fold.ts";
import type { TraceRequest } from "./request.ts";
import { Roles } from "./role.ts";
import { type SettledRequest, settleRequest } from "./settle.ts";
import type { Trace } from "./trace.ts";

const TRANSPORT_HEADER = 8;

/**
 * Sends one packet through the cluster, lets everything settle that comes of it, and says what became of it. The
 * cluster remembers: connections, neighbours and counters are there for the next packet.
 *
 * @throws RequestError when the request cannot be carried out as worded.
 */
export function send(cluster: TraceableCluster, request: TraceRequest): Trace {
  const { network } = cluster;
  const settled = settleRequest(cluster, request);
  const watched = network.recorder;
  const events: NetworkEvent[] = [];
  network.recorder = collector(events, settled, watched);
  let errno: Errno | null = null;
  try {
    const socket = open(settled);
    errno = socket.errno;
    settleNetwork(cluster);
    socket.close();
  } finally {
    network.recorder = watched;
  }
  return fold(cluster, settled, events, new Roles(events, settled.sender.name), errno);
}

/** Thrown by the recorder, and caught here, when nothing is to happen any more. */
class Delivered extends Error {}

function settleNetwork({ network }: TraceableCluster): void {
  try {
    network.settle();
  } catch (error) {
    if (!(error instanceof Delivered)) throw error;
  }
}

/** Writes down what happens. Without a reply wanted, the run ends the moment a listener takes the request. */
function collector(
  events: NetworkEvent[],
  { sender, reply }: SettledRequest,
  next: Recorder | null,
): Recorder {
  let request = 0;
  return {
    record(event) {
      events.push(event);
      next?.record(event);
      if (request === 0 && event.type === "origin" && event.netns === sender.name && event.cause === 0)
        request = event.kind === "socket" ? event.serial : 0;
      if (!reply && request !== 0 && event.type === "deliver" && event.serial === request)
        throw new Delivered();
    },
  };
}

/** The sender's socket: what it said to the send, and how it is closed. */
interface OpenSocket {
  readonly errno: Errno | null;
  close(): void;
}

const stays = (errno: Errno | null): OpenSocket => ({ errno, close: () => {} });

function open(request: SettledRequest): OpenSocket {
  switch (request.protocol) {
    case "tcp":
      return connectTcp(request);
    case "udp":
      return sendDatagram(request);
    case "icmp":
      return sendEcho(request);
    case "sctp":
      return connectSctp(request);
  }
}

function connectTcp({ sender, target, port, ttl, size }: SettledRequest): OpenSocket {
  const connection = sender.sockets.tcp.connect({
    destination: target.address,
    destinationPort: target.port!,
    sourcePort: port,
    requestBytes: size,
    ...(ttl === undefined ? {} : { ttl }),
  });
  return stays(typeof connection === "string" ? connection : null);
}

function connectSctp({ sender, target, port, ttl }: SettledRequest): OpenSocket {
  const sent = sender.sockets.sctp.connect({
    destination: target.address,
    destinationPort: target.port!,
    sourcePort: port,
    onAnswer: () => {},
    ...(ttl === undefined ? {} : { ttl }),
  });
  return stays(sent.errno);
}

function sendDatagram({ sender, target, port, ttl, size, dontFragment }: SettledRequest): OpenSocket {
  const { udp } = sender.sockets;
  const socket = udp.bind({ address: 0, port, owner: null, receive: () => {} });
  const sent = udp.send({
    destination: target.address,
    destinationPort: target.port!,
    sourcePort: port,
    payloadLength: size - TRANSPORT_HEADER,
    discovery: dontFragment ? "do" : "dont",
    ...(ttl === undefined ? {} : { ttl }),
  });
  return { errno: sent.errno, close: () => udp.unbind(socket) };
}

function sendEcho({ sender, target, port, ttl, size, dontFragment }: SettledRequest): OpenSocket {
  const { ping } = sender.sockets;
  const socket = { id: port, reply: () => {} };
  ping.open(socket);
  const sent = ping.send({
    destination: target.address,
    id: port,
    sequence: 1,
    payloadLength: size - TRANSPORT_HEADER,
    discovery: dontFragment ? "do" : "dont",
    ...(ttl === undefined ? {} : { ttl }),
  });
  return { errno: sent.errno, close: () => ping.close(socket) };
}
