import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../packet/packet.ts";

/** Schedulers that are simulated: round robin, weighted round robin, least connection, source hashing. */
export type SchedulerName = "rr" | "wrr" | "lc" | "sh";

/** A real server behind a virtual one: `struct ip_vs_dest`, forwarding method NAT (masquerading). */
export interface Destination {
  /** Unsigned 32-bit. */
  readonly address: number;
  readonly port: number;
  /** 0: gets no new connections. */
  readonly weight: number;
}

/** A virtual server: `struct ip_vs_service`. */
export interface VirtualServer {
  readonly protocol: number;
  /** Unsigned 32-bit. */
  readonly address: number;
  readonly port: number;
  readonly scheduler: SchedulerName;
  /** Seconds that a client stays with its real server (`-p`); null without persistence. */
  readonly persistentSeconds: number | null;
  /** In the order in which they were added. */
  readonly destinations: readonly Destination[];
}

/** A virtual server's key in one number, exact below 2^52; tcp, udp and sctp are told apart. */
export const serviceKey = (protocol: number, address: number, port: number): number =>
  (address * 4 + (protocol === IPPROTO_TCP ? 0 : protocol === IPPROTO_UDP ? 1 : 2)) * 0x10000 + port;

/** What a real server of one virtual server has now. */
export class DestinationState {
  readonly destination: Destination;
  /** Connections that are established, and the others (`activeconns`, `inactconns`). */
  active = 0;
  inactive = 0;

  constructor(destination: Destination) {
    this.destination = destination;
  }
}

/** What a scheduler remembers from connection to connection; all kinds in one shape. */
export interface SchedulerMemory {
  /** rr and wrr: place of the last choice in the list; -1 before the first. */
  last: number;
  /** wrr: the weight that the current pass asks for. */
  currentWeight: number;
}

/** What one namespace keeps of a virtual server. */
export class ServiceState {
  readonly service: VirtualServer;
  /** The kernel's list: the last added stands first (net/netfilter/ipvs/ip_vs_ctl.c: __ip_vs_update_dest). */
  readonly destinations: readonly DestinationState[];
  readonly memory: SchedulerMemory = { last: -1, currentWeight: 0 };

  constructor(service: VirtualServer, destinations: readonly DestinationState[]) {
    this.service = service;
    this.destinations = destinations;
  }
}

/** Has IPVS anything to do with packets of this protocol? */
export const isBalanced = (protocol: number): boolean =>
  protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_SCTP;
