import type { Clock } from "../clock.ts";
import type { Journal } from "../journal.ts";
import type { DestinationState, VirtualServer } from "./service.ts";

/** `struct ip_vs_conn`: one client's connection to a virtual server and the real server it has. */
export interface IpvsConnection {
  readonly protocol: number;
  readonly clientAddress: number;
  readonly clientPort: number;
  readonly service: VirtualServer;
  readonly destination: DestinationState;
  /** TCP: it counts as established at its real server. */
  active: boolean;
  /** Virtual microsecond at which it is forgotten. */
  expiresUs: number;
}

/**
 * Seconds of silence after which a connection is forgotten: IPVS' own defaults (net/netfilter/ipvs/ip_vs_proto_tcp.c:
 * tcp_timeouts, …_udp.c, …_sctp.c), TCP by what was seen last rather than by its full table of states.
 */
const TIMEOUT_S = { established: 900, syn: 60, fin: 120, reset: 10, udp: 300, sctp: 900 } as const;
export type Timeout = keyof typeof TIMEOUT_S;

/** A client's address and port in one number, exact below 2^48. */
const clientKey = (address: number, port: number): number => address * 0x10000 + port;

/** The connections of one namespace, found by packets of either direction (`conn_in_get`, `conn_out_get`). */
export class ConnectionTable {
  /** By client: few have more than one connection from one port. */
  private readonly byClient = new Map<number, IpvsConnection[]>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** By a packet of the client's: its source, and the virtual server as destination. */
  findIn(
    protocol: number,
    client: number,
    clientPort: number,
    address: number,
    port: number,
    nowUs: number,
  ): IpvsConnection | null {
    for (const one of this.byClient.get(clientKey(client, clientPort)) ?? NONE) {
      const { service } = one;
      if (service.address === address && service.port === port && one.protocol === protocol)
        return this.live(one, nowUs);
    }
    return null;
  }

  /** By a packet of the real server's: its source, and the client as destination. */
  findOut(
    protocol: number,
    server: number,
    serverPort: number,
    client: number,
    clientPort: number,
    nowUs: number,
  ): IpvsConnection | null {
    for (const one of this.byClient.get(clientKey(client, clientPort)) ?? NONE) {
      const { address, port } = one.destination.destination;
      if (address === server && port === serverPort && one.protocol === protocol)
        return this.live(one, nowUs);
    }
    return null;
  }

  add(connection: IpvsConnection, journal: Journal | null): void {
    const key = clientKey(connection.clientAddress, connection.clientPort);
    const same = this.byClient.get(key);
    journal?.keep(connection.destination);
    if (same === undefined) {
      journal?.set(this.byClient, key);
      this.byClient.set(key, [connection]);
    } else {
      journal?.keep(same);
      same.push(connection);
    }
    if (connection.active) connection.destination.active++;
    else connection.destination.inactive++;
  }

  clear(): void {
    for (const same of [...this.byClient.values()]) for (const one of [...same]) this.remove(one);
  }

  private remove(connection: IpvsConnection): void {
    const key = clientKey(connection.clientAddress, connection.clientPort);
    const same = this.byClient.get(key);
    const at = same?.indexOf(connection) ?? -1;
    if (same === undefined || at < 0) return;
    const { journal } = this.clock;
    journal?.keep(same);
    journal?.keep(connection.destination);
    same.splice(at, 1);
    if (same.length === 0) {
      journal?.delete(this.byClient, key);
      this.byClient.delete(key);
    }
    if (connection.active) connection.destination.active--;
    else connection.destination.inactive--;
  }

  /** The connection unless its time is over. */
  private live(connection: IpvsConnection, nowUs: number): IpvsConnection | null {
    if (connection.expiresUs > nowUs) return connection;
    this.remove(connection);
    return null;
  }
}

const NONE: readonly IpvsConnection[] = [];

/** A packet was seen: the connection's time begins anew, and it may become or cease to be established. */
export function touch(connection: IpvsConnection, timeout: Timeout, active: boolean, nowUs: number): void {
  connection.expiresUs = nowUs + TIMEOUT_S[timeout] * 1_000_000;
  if (connection.active === active) return;
  connection.active = active;
  const { destination } = connection;
  destination.active += active ? 1 : -1;
  destination.inactive -= active ? 1 : -1;
}
