import type { Packet } from "../../packet/packet.ts";
import type { Netns } from "../netns.ts";
import { ConnectionTable, type IpvsConnection } from "./connection.ts";
import { hookOps } from "./hooks.ts";
import { schedule } from "./scheduler.ts";
import { DestinationState, ServiceState, serviceKey, type VirtualServer } from "./service.ts";

/** The real server that a persistent client has, until when. */
interface Template {
  readonly destination: DestinationState;
  expiresUs: number;
}

/** IPVS of one namespace: virtual servers, and who is connected to whom. */
export class Ipvs {
  readonly netns: Netns;
  readonly connections: ConnectionTable;
  private services = new Map<number, ServiceState>();
  private readonly templates = new Map<string, Template>();
  /** Look-ups in the tables of services and connections since the namespace was made. */
  lookups = 0;

  constructor(netns: Netns) {
    this.netns = netns;
    this.connections = new ConnectionTable(netns.clock);
    netns.netfilter.register(hookOps(this));
  }

  /** `ipvsadm -R`: these are the virtual servers from now on; real servers that stay keep their connections. */
  install(services: readonly VirtualServer[]): void {
    const before = this.services;
    this.services = new Map(
      services.map((service) => {
        const key = serviceKey(service.protocol, service.address, service.port);
        return [key, stateOf(service, before.get(key) ?? null)];
      }),
    );
  }

  get virtualServers(): readonly VirtualServer[] {
    return [...this.services.values()].map(({ service }) => service);
  }

  /** `ip_vs_service_find` */
  findService(p: Packet): ServiceState | null {
    this.lookups++;
    return this.services.get(serviceKey(p.protocol, p.dst, p.dport)) ?? null;
  }

  /** `ip_vs_conn_in_get_proto` */
  findIn(p: Packet): IpvsConnection | null {
    this.lookups++;
    return this.connections.findIn(p.protocol, p.src, p.sport, p.dst, p.dport, this.netns.clock.nowUs);
  }

  /** `ip_vs_conn_out_get_proto` */
  findOut(p: Packet): IpvsConnection | null {
    this.lookups++;
    return this.connections.findOut(p.protocol, p.src, p.sport, p.dst, p.dport, this.netns.clock.nowUs);
  }

  /** `ip_vs_schedule`: a new connection, with a real server chosen; null when there is none to choose. */
  connect(state: ServiceState, p: Packet): IpvsConnection | null {
    const destination = this.choose(state, p.src);
    if (destination === null) return null;
    const connection: IpvsConnection = {
      protocol: p.protocol,
      clientAddress: p.src,
      clientPort: p.sport,
      service: state.service,
      destination,
      active: false,
      expiresUs: Number.POSITIVE_INFINITY,
    };
    this.connections.add(connection, this.netns.clock.journal);
    return connection;
  }

  /** `ip_vs_sched_persist`: a client of a persistent server goes where it went before. */
  private choose(state: ServiceState, client: number): DestinationState | null {
    const { persistentSeconds, protocol, address, port } = state.service;
    const { journal } = this.netns.clock;
    journal?.keep(state.memory);
    if (persistentSeconds === null) return schedule(state, client);
    const key = `${client} ${protocol} ${address} ${port}`;
    const nowUs = this.netns.clock.nowUs;
    const template = this.templates.get(key);
    this.lookups++;
    const stays =
      template !== undefined &&
      template.expiresUs > nowUs &&
      state.destinations.includes(template.destination) &&
      template.destination.destination.weight > 0;
    const destination = stays ? template.destination : schedule(state, client);
    journal?.set(this.templates, key);
    if (destination !== null)
      this.templates.set(key, { destination, expiresUs: nowUs + persistentSeconds * 1_000_000 });
    return destination;
  }
}

function stateOf(service: VirtualServer, before: ServiceState | null): ServiceState {
  const known = new Map((before?.destinations ?? []).map((one) => [keyOf(one), one]));
  const destinations = [...service.destinations].reverse().map((destination) => {
    const fresh = new DestinationState(destination);
    const old = known.get(keyOf(fresh));
    return old !== undefined && old.destination.weight === destination.weight ? old : fresh;
  });
  return new ServiceState(service, destinations);
}

const keyOf = ({ destination: { address, port } }: DestinationState): number => address * 0x10000 + port;
