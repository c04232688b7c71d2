import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../packet/packet.ts";
import type { Vxlan } from "../device/vxlan.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { PingSockets } from "./ping.ts";
import { SctpSockets } from "./sctp.ts";
import { TcpSockets } from "./tcp.ts";
import { UdpSockets } from "./udp.ts";

/** A server process that listens. */
export interface Listener {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Local address; 0 listens on all. */
  readonly address: number;
  readonly port: number;
  /** Who listens: a container's name, or null. */
  readonly owner: string | null;
  /** Bytes with which a request is answered; 0 answers nothing. */
  respondBytes: number;
}

/** The sockets of a namespace, by protocol. */
export class SocketTable {
  readonly netns: Netns;
  readonly tcp: TcpSockets;
  readonly udp: UdpSockets;
  readonly ping: PingSockets;
  readonly sctp: SctpSockets;
  readonly listeners: Listener[] = [];

  constructor(netns: Netns) {
    this.netns = netns;
    this.tcp = new TcpSockets(netns);
    this.udp = new UdpSockets(netns);
    this.ping = new PingSockets(netns);
    this.sctp = new SctpSockets(netns);
  }

  /** Begins to listen. Throws RangeError (EADDRINUSE) when somebody listens there already. */
  listen(options: {
    protocol: "tcp" | "udp" | "sctp";
    port: number;
    address?: number;
    owner?: string | null;
    respondBytes?: number;
  }): Listener {
    const listener: Listener = {
      protocol: options.protocol,
      port: options.port,
      address: options.address ?? 0,
      owner: options.owner ?? null,
      respondBytes: options.respondBytes ?? DEFAULT_RESPONSE_BYTES,
    };
    const clash = this.listeners.some(
      (other) =>
        other.protocol === listener.protocol &&
        other.port === listener.port &&
        (other.address === 0 || listener.address === 0 || other.address === listener.address),
    );
    if (clash)
      throw new RangeError(`EADDRINUSE: ${listener.protocol} ${listener.port} in ${this.netns.name}`);
    this.listeners.push(listener);
    if (listener.protocol === "udp") this.udp.serve(listener);
    return listener;
  }

  close(listener: Listener): void {
    const at = this.listeners.indexOf(listener);
    if (at < 0) return;
    this.listeners.splice(at, 1);
    if (listener.protocol === "udp") this.udp.stop(listener);
  }

  /** The listener for a packet to that address and port: one bound to the address goes before one bound to all. */
  findListener(protocol: number, address: number, port: number): Listener | null {
    const name =
      protocol === IPPROTO_TCP
        ? "tcp"
        : protocol === IPPROTO_UDP
          ? "udp"
          : protocol === IPPROTO_SCTP
            ? "sctp"
            : null;
    let any: Listener | null = null;
    for (const listener of this.listeners) {
      if (listener.port !== port || listener.protocol !== name) continue;
      if (listener.address === address) return listener;
      if (listener.address === 0) any = listener;
    }
    return any;
  }

  /** A VXLAN device takes the datagrams to its port (`vxlan_sock_add`). */
  bindTunnel(port: number, device: Vxlan): void {
    this.udp.bind({ address: 0, port, owner: device.name, receive: (skb) => device.receive(skb) });
  }

  /** Reports that a packet has been taken by a socket, or by the kernel itself (`owner` null). */
  deliver(skb: Skb, owner: string | null): void {
    const { onDelivery, recorder } = this.netns.network;
    if (onDelivery !== null) onDelivery(this.netns, skb);
    if (recorder === null) return;
    recorder.record({
      type: "deliver",
      timeUs: this.netns.clock.nowUs,
      netns: this.netns.name,
      serial: skb.serial,
      packet: skb.packet.clone(),
      owner,
    });
  }
}

/** What a small web server's answer comes to. */
const DEFAULT_RESPONSE_BYTES = 100;
