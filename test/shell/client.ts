/** A client outside that asks again and again while the cluster changes. */
import { toNumber } from "../../src/cluster/objects/address.ts";
import type { TcpConnection } from "../../src/linux/socket/tcp-connection.ts";
import type { Session } from "../../src/shell/session/session.ts";

const SECOND_US = 1_000_000;

/** Requests sent, and those that got no answer. */
export interface Outcome {
  sent: number;
  lost: number;
}

/**
 * Sends `count` requests from a host over `seconds` of virtual time, each on a connection and a port of its own, while
 * `act` goes on. A request is lost when its connection is refused, reset, or has no answer in the end.
 */
export async function requestsDuring(
  session: Session,
  options: { from: string; address: string; port: number; count: number; seconds: number },
  act: () => Promise<unknown>,
): Promise<Outcome> {
  const { network } = session.cluster;
  const client = session.cluster.hosts.get(options.from)!;
  const sent: (TcpConnection | string)[] = [];
  const step = (options.seconds * SECOND_US) / options.count;
  for (let i = 0; i < options.count; i++)
    network.clock.schedule(Math.round(i * step) + 1, () => {
      sent.push(
        client.sockets.tcp.connect({
          destination: toNumber(options.address),
          destinationPort: options.port,
          sourcePort: 20_000 + i,
          requestBytes: 80,
          close: true,
        }),
      );
    });
  await act();
  network.advance(options.seconds * SECOND_US);
  const answered = sent.filter((one) => typeof one !== "string" && one.bytesReceived > 0).length;
  return { sent: sent.length, lost: sent.length - answered };
}
