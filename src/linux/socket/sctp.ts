import { ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, IPPROTO_SCTP, Packet } from "../../packet/packet.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteOutput, sourceFor } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import { Skb } from "../skb.ts";
import { reportSocketError } from "./error.ts";
import type { SendResult } from "./udp.ts";

/** Bytes of an INIT chunk, which is all that is sent here. */
const INIT_BYTES = 20;

/**
 * SCTP of one namespace, as far as the network can tell: an INIT to a listener is answered by an INIT ACK. A kernel
 * that has no SCTP socket has not loaded the module, so the protocol itself is unreachable.
 */
export class SctpSockets {
  private readonly netns: Netns;
  /** Called for a packet that comes to a port which waits for an answer. */
  private readonly waiting = new Map<number, (skb: Skb) => void>();

  constructor(netns: Netns) {
    this.netns = netns;
  }

  receive(skb: Skb): void {
    const { netns } = this;
    const p = skb.packet;
    const answered = this.waiting.get(p.dport);
    if (answered !== undefined) {
      netns.sockets.deliver(skb, null);
      answered(skb);
      return;
    }
    const listener = netns.sockets.findListener(IPPROTO_SCTP, p.dst, p.dport);
    if (listener === null) {
      if (!netns.sockets.listeners.some(({ protocol }) => protocol === "sctp"))
        netns.icmpSend(netns, skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
      netns.drop(skb, "NO_SOCKET", "sctp_rcv", null, "nobody listens on that port");
      return;
    }
    netns.sockets.deliver(skb, listener.owner);
    this.transmit(p.dst, p.src, p.dport, p.sport, undefined, skb.serial);
  }

  /** Sends an INIT and hears of its answer. */
  connect(request: {
    destination: number;
    destinationPort: number;
    sourcePort: number;
    source?: number;
    ttl?: number;
    onAnswer(skb: Skb): void;
  }): SendResult {
    const { netns } = this;
    const route = ipRouteOutput(netns, request.destination, request.source ?? 0);
    if (typeof route === "string") {
      reportSocketError(netns, 0, route, null);
      return { serial: 0, errno: route, mtu: null };
    }
    netns.clock.journal?.set(this.waiting, request.sourcePort);
    this.waiting.set(request.sourcePort, request.onAnswer);
    const source = request.source || sourceFor(route, request.destination);
    return this.transmit(
      source,
      request.destination,
      request.sourcePort,
      request.destinationPort,
      request.ttl,
      0,
    );
  }

  private transmit(
    source: number,
    destination: number,
    sport: number,
    dport: number,
    ttl: number | undefined,
    cause: number,
  ): SendResult {
    const { netns } = this;
    const route = ipRouteOutput(netns, destination, source);
    if (typeof route === "string") return { serial: 0, errno: route, mtu: null };
    const p = new Packet();
    p.protocol = IPPROTO_SCTP;
    p.src = source;
    p.dst = destination;
    p.sport = sport;
    p.dport = dport;
    p.df = 1;
    p.ttl = ttl ?? netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
    p.id = netns.nextIpId();
    p.payloadLength = INIT_BYTES;
    const skb = new Skb(p);
    skb.route = route;
    netns.originate(skb, "socket", cause);
    const errno = ipLocalOut(netns, skb) ? null : "EPERM";
    return { serial: skb.serial, errno, mtu: null };
  }
}
