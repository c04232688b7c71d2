/** A client that asks again and again while the cluster changes. */
import type { Netns } from "../../linux/netns.ts";
import type { TcpConnection } from "../../linux/socket/tcp-connection.ts";
import type { Session } from "../session/session.ts";

const SECOND_US = 1_000_000;
const REQUEST_BYTES = 80;
/** Seconds that the last request is given. */
const PATIENCE = 3;

export interface Load {
  readonly from: Netns;
  /** Unsigned 32-bit. */
  readonly address: number;
  readonly port: number;
  readonly count: number;
  /** Virtual time over which the requests are spread evenly. */
  readonly seconds: number;
}

/** What became of the requests; times are seconds since the first. */
export interface LoadOutcome {
  readonly sent: number;
  readonly answered: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly firstLost: number | null;
  readonly lastLost: number | null;
}

/**
 * Sends requests, each on a connection and a source port of its own, while `act` goes on, and waits for the rest. A
 * lost SYN is not sent again: what a first packet meets is what counts.
 */
export async function requestsDuring(
  session: Session,
  { from, address, port, count, seconds }: Load,
  act: () => Promise<unknown>,
): Promise<LoadOutcome> {
  const { network } = session.cluster;
  const { clock } = network;
  const [first, last] = from.sysctl.localPortRange;
  const begin = clock.nowUs;
  const end = begin + seconds * SECOND_US;
  const sent: { at: number; connection: TcpConnection | string }[] = [];
  for (let i = 0; i < count; i++) {
    const at = (i * seconds) / count;
    const options = {
      destination: address,
      destinationPort: port,
      sourcePort: first + (i % (last - first + 1)),
      requestBytes: REQUEST_BYTES,
      close: true,
    };
    clock.schedule(Math.round(at * SECOND_US) + 1, () => {
      sent.push({ at, connection: from.sockets.tcp.connect(options) });
    });
  }
  await act();
  session.plane.advance(Math.max(0, (end - clock.nowUs) / SECOND_US) + PATIENCE);
  return outcomeOf(sent);
}

function outcomeOf(sent: readonly { at: number; connection: TcpConnection | string }[]): LoadOutcome {
  const lost = sent.filter(
    ({ connection }) => typeof connection === "string" || connection.bytesReceived === 0,
  );
  const refused = lost.filter(
    ({ connection }) => typeof connection === "string" || connection.error !== null,
  );
  return {
    sent: sent.length,
    answered: sent.length - lost.length,
    refused: refused.length,
    unanswered: lost.length - refused.length,
    firstLost: lost[0]?.at ?? null,
    lastLost: lost.at(-1)?.at ?? null,
  };
}
