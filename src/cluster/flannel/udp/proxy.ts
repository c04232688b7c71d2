import type { Tun, TunOwner } from "../../../linux/device/tun.ts";
import { Skb } from "../../../linux/skb.ts";
import { contains } from "../../../packet/address.ts";
import {
  ICMP_DEST_UNREACH,
  ICMP_NET_UNREACH,
  IPPROTO_ICMP,
  ipTotalLength,
  Packet,
} from "../../../packet/packet.ts";
import type { Lease } from "../lease.ts";

/** The TTL of the proxy's own ICMP messages. */
const UNREACHABLE_TTL = 8;
/** It quotes the IP header and the eight bytes after it. */
const QUOTED_LENGTH = 28;

interface ProxyRoute {
  readonly subnet: number;
  readonly prefixLength: number;
  nextHop: number;
}

/**
 * flannel's udp proxy (backend/udp/proxy.c, 0.9): a process between the TUN device and a UDP socket.
 *
 *   read from TUN ─ no route: net unreachable, back into the TUN device
 *                 └ TTL − 1, nothing at 0 ─▶ sendto(next hop)
 *   recv from the socket ─ TTL − 1, nothing at 0 ─▶ write to TUN, whatever the destination
 */
export class UdpProxy implements TunOwner {
  private readonly tun: Tun;
  /** Address of the TUN device: the sender of its ICMP messages. */
  private readonly tunAddress: number;
  /** The node's address, which the socket is bound to. */
  private readonly address: number;
  private readonly port: number;
  private readonly routes: ProxyRoute[] = [];
  /** Asked for the routes to an address that no route here holds; null: nobody has any. */
  bring: ((address: number) => void) | null = null;

  constructor(tun: Tun, tunAddress: number, address: number, port: number) {
    this.tun = tun;
    this.tunAddress = tunAddress;
    this.address = address;
    this.port = port;
  }

  /** `set_route`: a subnet that is there already gets the new next hop. */
  setRoute({ subnet, prefixLength, publicIP }: Lease): void {
    const known = this.routes.find((one) => one.subnet === subnet && one.prefixLength === prefixLength);
    if (known !== undefined) known.nextHop = publicIP;
    else this.routes.push({ subnet, prefixLength, nextHop: publicIP });
  }

  /** `del_route`: the last entry takes the place of the removed one. */
  deleteRoute({ subnet, prefixLength }: Pick<Lease, "subnet" | "prefixLength">): void {
    const at = this.routes.findIndex((one) => one.subnet === subnet && one.prefixLength === prefixLength);
    if (at < 0) return;
    const last = this.routes.pop()!;
    if (at < this.routes.length) this.routes[at] = last;
  }

  /** `find_route`: the first that holds the address, which moves to the front. */
  private findRoute(address: number): ProxyRoute | null {
    const { routes } = this;
    const find = () => routes.findIndex((one) => contains(one.subnet, one.prefixLength, address));
    let at = find();
    if (at < 0 && this.bring !== null) {
      this.bring(address);
      at = find();
    }
    if (at < 0) return null;
    this.tun.netns.clock.journal?.keep(routes);
    const found = routes[at]!;
    routes[at] = routes[0]!;
    routes[0] = found;
    return found;
  }

  /** `tun_to_udp` */
  read(packet: Packet, serial: number): void {
    const route = this.findRoute(packet.dst);
    if (route === null) {
      this.sendNetUnreachable(packet, serial);
      this.discard(packet, serial, "tun_to_udp", "no lease covers the destination");
      return;
    }
    const inner = this.decrementTtl(packet, serial, "tun_to_udp");
    if (inner === null) return;
    const { netns } = this.tun;
    const sent = netns.sockets.udp.send({
      source: this.address,
      sourcePort: this.port,
      destination: route.nextHop,
      destinationPort: this.port,
      payloadLength: ipTotalLength(inner),
      inner,
      origin: "daemon",
      cause: serial,
    });
    if (sent.errno !== null && sent.serial === 0)
      this.discard(inner, serial, "sock_send_packet", `sendto failed: ${sent.errno}`);
    else this.report("encapsulate", serial, sent.serial, inner);
  }

  /** `udp_to_tun`: a datagram has come to the socket. `recv` cuts off what is longer than the TUN device's MTU. */
  receive(outer: Skb): void {
    const { packet } = outer;
    // no IP packet inside: the kernel refuses the write (tun_get_user: EINVAL)
    if (packet.inner === null || packet.vni >= 0) return;
    const serial = outer.cause;
    this.report("decapsulate", serial, outer.serial, packet.inner);
    const inner = this.decrementTtl(packet.inner, serial, "udp_to_tun");
    if (inner === null) return;
    if (ipTotalLength(inner) > this.tun.mtu) {
      this.discard(
        inner,
        serial,
        "ip_rcv_core",
        `cut off at ${this.tun.mtu} bytes by recv: shorter than its IP header says`,
      );
      return;
    }
    this.tun.write(inner, serial);
  }

  /** `decrement_ttl`: a packet of one less TTL, or null when that is 0 and the proxy throws it away without a word. */
  private decrementTtl(packet: Packet, serial: number, location: string): Packet | null {
    const inner = packet.clone();
    inner.ttl = (packet.ttl - 1) & 0xff;
    if (inner.ttl !== 0) return inner;
    this.discard(inner, serial, location, "flanneld discards it: TTL is 0");
    return null;
  }

  /** `send_net_unreachable`: never about ICMP, nor about a later fragment. */
  private sendNetUnreachable(offender: Packet, serial: number): void {
    if (offender.protocol === IPPROTO_ICMP || offender.fragOffset !== 0) return;
    const error = new Packet();
    error.protocol = IPPROTO_ICMP;
    error.src = this.tunAddress;
    error.dst = offender.src;
    error.ttl = UNREACHABLE_TTL;
    error.icmpType = ICMP_DEST_UNREACH;
    error.icmpCode = ICMP_NET_UNREACH;
    error.inner = offender.clone();
    error.payloadLength = Math.min(QUOTED_LENGTH, ipTotalLength(offender));
    const skb = new Skb(error);
    this.tun.netns.originate(skb, "daemon", serial);
    this.tun.write(error, skb.serial);
  }

  private discard(packet: Packet, serial: number, location: string, detail: string): void {
    const skb = new Skb(packet);
    skb.serial = serial;
    skb.dev = this.tun;
    this.tun.netns.drop(skb, "NOT_SPECIFIED", location, null, detail);
  }

  private report(action: "encapsulate" | "decapsulate", serial: number, outer: number, packet: Packet): void {
    const { netns } = this.tun;
    const { recorder } = netns.network;
    if (recorder === null) return;
    recorder.record({
      type: "tunnel",
      timeUs: netns.clock.nowUs,
      netns: netns.name,
      serial,
      action,
      device: this.tun.name,
      outer,
      packet: packet.clone(),
    });
  }
}
