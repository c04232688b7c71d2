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

/** A flow's key: protocol, two addresses, two ports. */
const flowKey = (protocol: number, a: number, aPort: number, b: number, bPort: number): string =>
  `${protocol} ${a} ${aPort} ${b} ${bPort}`;

/** The connections of one namespace, found by packets of either direction (`conn_in_get`, `conn_out_get`). */
export class ConnectionTable {
  private readonly fromClient = new Map<string, IpvsConnection>();
  private readonly fromServer = new Map<string, IpvsConnection>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.fromClient.size;
  }

  /** By a packet of the client's: its source, and the virtual server as destination. */
  findIn(protocol: number, client: number, clientPort: number, address: number, port: number, nowUs: number) {
    return this.live(this.fromClient.get(flowKey(protocol, client, clientPort, address, port)), nowUs);
  }

  /** By a packet of the real server's: its source, and the client as destination. */
  findOut(
    protocol: number,
    server: number,
    serverPort: number,
    client: number,
    clientPort: number,
    nowUs: number,
  ) {
    return this.live(this.fromServer.get(flowKey(protocol, client, clientPort, server, serverPort)), nowUs);
  }

  add(connection: IpvsConnection, journal: Journal | null): void {
    const { protocol, clientAddress, clientPort, service, destination } = connection;
    const { address, port } = destination.destination;
    const request = flowKey(protocol, clientAddress, clientPort, service.address, service.port);
    const answer = flowKey(protocol, clientAddress, clientPort, address, port);
    journal?.set(this.fromClient, request);
    journal?.set(this.fromServer, answer);
    journal?.keep(destination);
    this.fromClient.set(request, connection);
    this.fromServer.set(answer, connection);
    if (connection.active) destination.active++;
    else destination.inactive++;
  }

  remove(connection: IpvsConnection): void {
    const { protocol, clientAddress, clientPort, service, destination } = connection;
    const { address, port } = destination.destination;
    const request = flowKey(protocol, clientAddress, clientPort, service.address, service.port);
    const answer = flowKey(protocol, clientAddress, clientPort, address, port);
    const { journal } = this.clock;
    journal?.delete(this.fromClient, request);
    if (!this.fromClient.delete(request)) return;
    journal?.delete(this.fromServer, answer);
    journal?.keep(destination);
    this.fromServer.delete(answer);
    if (connection.active) destination.active--;
    else destination.inactive--;
  }

  clear(): void {
    for (const connection of [...this.fromClient.values()]) this.remove(connection);
  }

  private live(connection: IpvsConnection | undefined, nowUs: number): IpvsConnection | null {
    if (connection === undefined) return null;
    if (connection.expiresUs > nowUs) return connection;
    this.remove(connection);
    return null;
  }
}

/** A packet was seen: the connection's time begins anew, and it may become or cease to be established. */
export function touch(connection: IpvsConnection, timeout: Timeout, active: boolean, nowUs: number): void {
  connection.expiresUs = nowUs + TIMEOUT_S[timeout] * 1_000_000;
  if (connection.active === active) return;
  connection.active = active;
  const { destination } = connection;
  destination.active += active ? 1 : -1;
  destination.inactive -= active ? 1 : -1;
}
