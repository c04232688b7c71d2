import {
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCPOPT_MSS,
  TCPOPT_TIMESTAMP,
  TCPOPTS_SYN,
} from "../../packet/packet.ts";
import type { Timer } from "../clock.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { type Errno, reportSocketError, type SocketError } from "./error.ts";
import { type Ends, type Segment, sendSegment } from "./tcp-segment.ts";

export type TcpState =
  | "CLOSED"
  | "SYN_SENT"
  | "SYN_RECV"
  | "ESTABLISHED"
  | "FIN_WAIT"
  | "CLOSE_WAIT"
  | "LAST_ACK"
  | "TIME_WAIT";

/** What the two processes do with a connection. */
export interface TcpEndOptions {
  readonly owner?: string | null;
  /** Server: bytes sent in answer to a request. */
  readonly respondBytes?: number;
  /** Client: bytes sent once connected; 0 sends nothing. */
  readonly requestBytes?: number;
  /** Client: closes once it has its answer. */
  readonly close?: boolean;
  readonly ttl?: number;
  /** Client: sends SYN again while no answer comes. */
  readonly retransmit?: boolean;
}

export interface TcpClientOptions extends TcpEndOptions {
  readonly destination: number;
  readonly destinationPort: number;
  readonly source?: number;
  readonly sourcePort: number;
}

const SYN_WINDOW = 64240;
/** Scaled by 7: about the same. */
const WINDOW = 502;
const RTO_US = 1_000_000;
const JIFFY_US = 1_000;

/** One end of a TCP connection: as much of TCP as the network can see. No loss recovery but for SYN and path MTU. */
export class TcpConnection {
  readonly ends: Ends;
  readonly owner: string | null;
  state: TcpState = "CLOSED";
  error: SocketError | null = null;
  /** Number of the first SYN, 0 when it could not be sent. */
  synSerial = 0;
  bytesReceived = 0;
  /** The packet that established the connection, as it arrived. */
  established: Packet | null = null;
  private readonly netns: Netns;
  private readonly options: TcpEndOptions;
  /** `sk_txhash`: drawn for each connection (sk_set_txhash), and anew for each repeated SYN (sk_rethink_txhash). */
  private txHash: number;
  private sendNext: number;
  private receiveNext = 0;
  /** Payload bytes a packet: the other side's MSS and the path's MTU, less the time stamps. */
  private segmentSize = 1448;
  private unacknowledged = 0;
  /** TCPOPT_* bits that this end offers, then those that the other side offered too. */
  private agreed = TCPOPTS_SYN;
  private retransmitTimer: Timer | null = null;
  private synsSent = 0;
  private cause = 0;

  constructor(netns: Netns, ends: Ends, initialSequence: number, options: TcpEndOptions) {
    this.netns = netns;
    this.ends = ends;
    this.owner = options.owner ?? null;
    this.options = options;
    this.txHash = netns.network.drawTxHash();
    this.sendNext = initialSequence;
  }

  /** Client: sends the SYN. */
  open(): void {
    this.touch();
    this.state = "SYN_SENT";
    const sent = this.sendSyn();
    if (typeof sent === "number") this.synSerial = sent;
    else this.refuse(sent);
    this.sendNext = (this.sendNext + 1) >>> 0;
  }

  private sendSyn(): number | Errno {
    const seq = this.synsSent === 0 ? this.sendNext : (this.sendNext - 1) >>> 0;
    if (this.synsSent++ > 0) this.txHash = this.netns.network.drawTxHash();
    const sent = this.transmit({ flags: TCP_SYN, seq, ack: 0, window: SYN_WINDOW });
    if (this.options.retransmit) this.armRetransmit();
    return sent;
  }

  private armRetransmit(): void {
    // tcp_syn_linear_timeouts: the first four at one second's distance, then doubling
    // armed once the SYN is out: what that set going elsewhere with the same delay comes first
    const delayUs = RTO_US * 2 ** Math.max(0, this.synsSent - 5) + JIFFY_US;
    this.retransmitTimer = this.netns.clock.schedule(delayUs, () => {
      if (this.state !== "SYN_SENT") return;
      this.touch();
      if (this.synsSent > this.netns.sysctl.scalar["net.ipv4.tcp_syn_retries"])
        this.fail({ errno: "ETIMEDOUT", icmp: null, mtu: null });
      else this.sendSyn();
    });
  }

  /** Server: a SYN came to a listener. */
  accept(skb: Skb): void {
    this.touch();
    const p = skb.packet;
    this.state = "SYN_RECV";
    this.receiveNext = (p.seq + 1) >>> 0;
    this.learnOptions(p);
    this.cause = skb.serial;
    this.transmit({
      flags: TCP_SYN | TCP_ACK,
      seq: this.sendNext,
      ack: this.receiveNext,
      window: SYN_WINDOW,
    });
    this.sendNext = (this.sendNext + 1) >>> 0;
  }

  private learnOptions(p: Packet): void {
    this.agreed &= p.tcpOptions | TCPOPT_MSS;
    if (p.mss > 0) this.segmentSize = Math.min(this.segmentSize, p.mss - 12);
  }

  /** A new SYN on a connection that is over takes its place. */
  mayReopen(p: Packet): boolean {
    const over = this.state === "TIME_WAIT" || this.state === "CLOSED";
    return over && (p.tcpFlags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_SYN;
  }

  receive(skb: Skb): void {
    this.touch();
    const p = skb.packet;
    this.cause = skb.serial;
    if (p.tcpFlags & TCP_RST) {
      this.fail({ errno: this.state === "SYN_SENT" ? "ECONNREFUSED" : "ECONNRESET", icmp: null, mtu: null });
      return;
    }
    switch (this.state) {
      case "SYN_SENT":
        if ((p.tcpFlags & (TCP_SYN | TCP_ACK)) === (TCP_SYN | TCP_ACK)) this.connected(p);
        return;
      case "SYN_RECV":
        if (p.tcpFlags & TCP_SYN) {
          // our SYN/ACK was lost: once more
          this.transmit({
            flags: TCP_SYN | TCP_ACK,
            seq: (this.sendNext - 1) >>> 0,
            ack: this.receiveNext,
            window: SYN_WINDOW,
          });
          return;
        }
        if ((p.tcpFlags & TCP_ACK) === 0) return;
        this.state = "ESTABLISHED";
        this.established = p.clone();
        this.take(p);
        return;
      default:
        this.take(p);
    }
  }

  private connected(p: Packet): void {
    this.stopTimer();
    this.state = "ESTABLISHED";
    this.established = p.clone();
    this.receiveNext = (p.seq + 1) >>> 0;
    this.learnOptions(p);
    this.acknowledge();
    const request = this.options.requestBytes ?? 0;
    if (request > 0) this.write(request);
    else if (this.options.close) this.shutdown();
  }

  /** Data and FIN of a segment, in order or not at all. */
  private take(p: Packet): void {
    if (p.tcpFlags & TCP_ACK)
      this.unacknowledged = Math.min(this.unacknowledged, (this.sendNext - p.ack) >>> 0);
    if (this.state === "LAST_ACK" && p.ack === this.sendNext) {
      this.state = "CLOSED";
      this.netns.sockets.tcp.remove(this);
      return;
    }
    const fin = (p.tcpFlags & TCP_FIN) !== 0;
    if (p.payloadLength === 0 && !fin) return;
    if (p.seq !== this.receiveNext) {
      this.acknowledge();
      return;
    }
    this.receiveNext = (p.seq + p.payloadLength + (fin ? 1 : 0)) >>> 0;
    this.bytesReceived += p.payloadLength;
    const responds = this.options.respondBytes ?? 0;
    // quickack mode: the kernel acknowledges before the process gets to answer
    this.acknowledge();
    if (responds > 0 && p.tcpFlags & TCP_PSH && p.payloadLength > 0) this.write(responds);
    if (fin) this.finReceived();
    else if (this.options.close && p.payloadLength > 0) this.shutdown();
  }

  private finReceived(): void {
    if (this.state === "FIN_WAIT") {
      this.state = "TIME_WAIT";
      return;
    }
    if (this.state !== "ESTABLISHED") return;
    this.transmit({ flags: TCP_FIN | TCP_ACK, seq: this.sendNext, ack: this.receiveNext, window: WINDOW });
    this.sendNext = (this.sendNext + 1) >>> 0;
    this.state = "LAST_ACK";
  }

  /** Sends that many bytes as one segment, or as one that a device will cut. */
  write(bytes: number): void {
    this.touch();
    this.unacknowledged += bytes;
    this.sendData(this.sendNext, bytes);
    this.sendNext = (this.sendNext + bytes) >>> 0;
  }

  private sendData(seq: number, bytes: number): void {
    const gsoSize = bytes > this.segmentSize ? this.segmentSize : 0;
    this.transmit({
      flags: TCP_ACK | TCP_PSH,
      seq,
      ack: this.receiveNext,
      window: WINDOW,
      payloadLength: bytes,
      gsoSize,
    });
  }

  /** `shutdown(SHUT_WR)` */
  shutdown(): void {
    if (this.state !== "ESTABLISHED") return;
    this.touch();
    this.transmit({ flags: TCP_FIN | TCP_ACK, seq: this.sendNext, ack: this.receiveNext, window: WINDOW });
    this.sendNext = (this.sendNext + 1) >>> 0;
    this.state = "FIN_WAIT";
  }

  /** `close` with SO_LINGER 0: a reset, and nothing more. */
  abort(): void {
    if (this.state === "CLOSED") return;
    const open = this.state !== "SYN_SENT";
    if (open)
      this.transmit({ flags: TCP_RST | TCP_ACK, seq: this.sendNext, ack: this.receiveNext, window: 0 });
    this.forget();
    this.netns.sockets.tcp.remove(this);
  }

  private acknowledge(): void {
    this.transmit({ flags: TCP_ACK, seq: this.sendNext, ack: this.receiveNext, window: WINDOW });
  }

  /** `tcp_v4_mtu_reduced`: what has not been acknowledged is sent again in smaller pieces. */
  mtuReduced(mtu: number): void {
    const size = mtu - 52;
    if (size >= this.segmentSize) return;
    this.touch();
    this.segmentSize = size;
    if (this.unacknowledged > 0)
      this.sendData((this.sendNext - this.unacknowledged) >>> 0, this.unacknowledged);
  }

  fail(error: SocketError): void {
    this.touch();
    this.stopTimer();
    if (this.state === "ESTABLISHED" && error.icmp !== null) return;
    this.error = error;
    this.state = "CLOSED";
    this.netns.sockets.tcp.remove(this);
  }

  /** Stops without telling anybody. */
  forget(): void {
    this.touch();
    this.stopTimer();
    this.state = "CLOSED";
  }

  private refuse(errno: Errno): void {
    reportSocketError(this.netns, 0, errno, null);
    this.fail({ errno, icmp: null, mtu: null });
  }

  /** It is about to change. */
  private touch(): void {
    this.netns.clock.journal?.keep(this);
  }

  private stopTimer(): void {
    if (this.retransmitTimer !== null) this.retransmitTimer.cancelled = true;
    this.retransmitTimer = null;
  }

  private transmit(
    s: Partial<Segment> & { flags: number; seq: number; ack: number; window: number },
  ): number | Errno {
    return sendSegment(
      this.netns,
      this.ends,
      {
        flags: s.flags,
        seq: s.seq,
        ack: s.ack,
        window: s.window,
        payloadLength: s.payloadLength ?? 0,
        gsoSize: s.gsoSize ?? 0,
        options: s.flags & TCP_SYN ? this.agreed : this.agreed & TCPOPT_TIMESTAMP,
        tos: 0,
        hash: this.txHash,
        cause: this.cause,
      },
      this.options.ttl,
    );
  }
}
