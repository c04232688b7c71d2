/** What a trace is asked to do, and how what is asked can be wrong. */

export const PROTOCOLS = ["tcp", "udp", "icmp", "sctp"] as const;
export type TraceProtocol = (typeof PROTOCOLS)[number];

/** One packet to be sent. */
export interface TraceRequest {
  /** Who sends: `pod/[NAMESPACE/]NAME`, `node/NAME` or `host/NAME`. */
  readonly from: string;
  /**
   * Whom to: `svc/[NAMESPACE/]NAME:PORT` (number or name), `pod/[NAMESPACE/]NAME:PORT`, `node/NAME:PORT`,
   * `host/NAME:PORT`, `localhost:PORT` or `IP:PORT`; without `:PORT` for icmp.
   */
  readonly to: string;
  /** Left out: that of the Service port or container port when only one fits, otherwise tcp. */
  readonly protocol?: TraceProtocol;
  /** Left out: one of the sender's `net.ipv4.ip_local_port_range`, as chance decides. */
  readonly sourcePort?: number;
  /** Left out: the sender's `net.ipv4.ip_default_ttl`. */
  readonly ttl?: number;
  /** udp, icmp: IP payload bytes, transport header included. tcp: bytes sent once the connection stands. */
  readonly size?: number;
  /** udp, icmp: sets DF (IP_PMTUDISC_DO); otherwise routers may cut the packet. TCP always sets it, as Linux does. */
  readonly dontFragment?: boolean;
  /** False stops where a listener has taken the packet: nothing is answered. */
  readonly reply?: boolean;
}

/** A request that cannot be carried out as it is worded: one line that says why. */
export class RequestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RequestError";
  }
}

const DEFAULT_UDP_SIZE = 18;
/** `ping`: 56 bytes after the ICMP header. */
const DEFAULT_ICMP_SIZE = 64;
const TRANSPORT_HEADER = 8;
const MAX_IP_PAYLOAD = 65515;

/** Bytes that are sent when nobody says how many; see {@link TraceRequest.size}. */
export function sizeOf(protocol: TraceProtocol, size: number | undefined): number {
  if (size !== undefined) return size;
  if (protocol === "udp") return DEFAULT_UDP_SIZE;
  return protocol === "icmp" ? DEFAULT_ICMP_SIZE : 0;
}

/**
 * Checks the numbers of a request against its protocol.
 *
 * @throws RequestError for a number that no packet can carry.
 */
export function checkNumbers(
  protocol: TraceProtocol,
  { sourcePort, ttl, size, dontFragment }: TraceRequest,
): void {
  checkRange("source port", sourcePort, 1, 65535);
  checkRange("TTL", ttl, 1, 255);
  const datagram = protocol === "udp" || protocol === "icmp";
  if (datagram) checkRange("size", size, TRANSPORT_HEADER, MAX_IP_PAYLOAD);
  else if (protocol === "tcp") checkRange("size", size, 0, MAX_IP_PAYLOAD);
  else if (size !== undefined) throw new RequestError("an SCTP INIT has a fixed size: leave the size out");
  if (protocol === "icmp" && sourcePort !== undefined)
    throw new RequestError("icmp has no ports: leave the source port out");
  if (dontFragment === true && !datagram)
    throw new RequestError(`${protocol} always sets DF: don't-fragment goes with udp and icmp`);
}

function checkRange(what: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RequestError(`${what} ${value} is outside ${least}-${most}`);
}
