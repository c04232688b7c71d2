import type { Skb } from "../../linux/skb.ts";
import type { SocketError } from "../../linux/socket/error.ts";
import { formatIpv4 } from "../../packet/address.ts";
import { type Command, CommandError } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { resolveName } from "./resolve-name.ts";
import { readWords } from "./words.ts";

const TCP_PATIENCE = 127;

/** `nc [-u] [-z] [-v] [-p PORT] [-w SECONDS] HOST PORT`: a connection, or a datagram and what comes back. */
export const netcat: Command = {
  name: "nc",
  summary: "a TCP connection or a UDP datagram",
  run(session, args, io) {
    const words = readWords("nc", args, {
      udp: { type: "boolean", short: "u" },
      zero: { type: "boolean", short: "z" },
      verbose: { type: "boolean", short: "v" },
      "source-port": { type: "string", short: "p" },
      wait: { type: "string", short: "w" },
    });
    const [name, portText] = words.positionals;
    const port = Number(portText);
    if (name === undefined || !Number.isInteger(port) || port < 1 || port > 65535)
      throw new CommandError("Ncat: You must specify a host and a port to connect to. QUITTING.", 2);
    const address = resolveName(session, name);
    if (address === null) throw new CommandError(`Ncat: Could not resolve hostname "${name}". QUITTING.`, 2);
    const [first, last] = session.place.netns.sysctl.localPortRange;
    const sourcePort = words.number(
      "source-port",
      first + session.place.netns.chooser.pick(last - first + 1, "port"),
    );
    const target = { address, port, sourcePort };
    const result = words.has("udp")
      ? datagram(session, target, words.number("wait", 1))
      : connect(session, target, words.number("wait", TCP_PATIENCE + 1));
    if (result !== null) throw new CommandError(`Ncat: ${result}.`);
    if (words.has("verbose"))
      io.err(
        `Ncat: ${words.has("udp") ? "UDP packet sent successfully and answered by" : "Connected to"} ${formatIpv4(address)}:${port}.\n`,
      );
    return 0;
  },
};

interface Target {
  address: number;
  port: number;
  sourcePort: number;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Connection refused",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
  ETIMEDOUT: "Connection timed out",
};

/** Null when it went well, otherwise what went wrong. */
function connect(session: Session, { address, port, sourcePort }: Target, patience: number): string | null {
  const { network } = session.cluster;
  const connection = session.place.netns.sockets.tcp.connect({
    destination: address,
    destinationPort: port,
    sourcePort,
    retransmit: true,
    close: true,
  });
  if (typeof connection === "string") return REASONS[connection] ?? connection;
  network.settle();
  const end = session.plane.now + patience;
  while (connection.established === null && connection.error === null && session.plane.now < end)
    session.plane.advance(1);
  if (connection.established !== null) return null;
  const { error } = connection;
  connection.abort();
  return error === null ? "Connection timed out" : (REASONS[error.errno] ?? error.errno);
}

function datagram(session: Session, { address, port, sourcePort }: Target, patience: number): string | null {
  const { netns } = session.place;
  let answered = false;
  let refused: string | null = null;
  const socket = netns.sockets.udp.bind({
    address: 0,
    port: sourcePort,
    owner: null,
    receive: (_: Skb) => {
      answered = true;
    },
    error: ({ errno }: SocketError) => {
      refused = REASONS[errno] ?? errno;
    },
  });
  const { errno } = netns.sockets.udp.send({
    destination: address,
    destinationPort: port,
    sourcePort,
    payloadLength: 18,
  });
  session.cluster.network.settle();
  if (!answered && refused === null && errno === null) session.plane.advance(patience);
  netns.sockets.udp.unbind(socket);
  if (errno !== null) return REASONS[errno] ?? errno;
  return answered ? null : (refused ?? "no answer came");
}
