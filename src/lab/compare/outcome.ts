import { formatIpv4 } from "../../packet/address.ts";
import {
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_PORT_UNREACH,
  ICMP_TIME_EXCEEDED,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type Packet,
  TCP_ACK,
  TCP_RST,
  TCP_SYN,
} from "../../packet/packet.ts";
import type { FlowRequest } from "../agent.ts";
import type { FlowRecord, Frame } from "../record.ts";

/** Of flannel's udp and vxlan back ends. */
const TUNNEL_PORTS: ReadonlySet<number> = new Set([8285, 8472]);

/** What a flow came to, in the words of the contract. */
export interface Outcome {
  readonly verdict: "delivered" | "refused" | "rejected" | "dropped" | "expired" | "unreachable";
  readonly delivered: {
    readonly netns: string;
    readonly owner: string | null;
    readonly source: string;
    readonly destination: string;
    readonly ttl: number | null;
  } | null;
  /** As the sender's namespace gets it. */
  readonly reply: { readonly source: string; readonly ttl: number } | null;
  readonly icmp: {
    readonly type: number;
    readonly code: number;
    readonly from: string;
    readonly ttl: number;
    readonly mtu: number | null;
  } | null;
  readonly reset: { readonly source: string; readonly ttl: number } | null;
}

/** Reads off a record, the simulation's or the kernel's, how its flow ended. */
export function outcomeOf(request: FlowRequest, record: FlowRecord): Outcome {
  const delivered = deliveredOf(request, record);
  const toSender = record.frames.filter((f) => f.netns === request.from && f.direction === "rx");
  const { errors, errno } = record.sender;
  // an error that the sender's namespace throws away (a martian) is seen by taps alone
  const isHeard = errors.length > 0 || (request.protocol === "tcp" && errno !== null);
  const sent = record.frames.filter((f) => f.netns === request.from && f.direction === "tx");
  const icmp = isHeard ? errorOf(request, toSender, sent) : null;
  const reset = resetOf(request, toSender);
  return {
    verdict: verdictOf(record, { delivered, icmp }),
    delivered,
    reply: replyOf(request, toSender),
    icmp,
    reset,
  };
}

/** What the sender's own namespace says when there is no way, or none for so long a packet. */
const NO_WAY: ReadonlySet<string> = new Set(["ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL", "EMSGSIZE"]);

function verdictOf(
  { sender, counts, frames }: FlowRecord,
  { delivered, icmp }: Pick<Outcome, "delivered" | "icmp">,
): Outcome["verdict"] {
  if (delivered !== null) return "delivered";
  if (counts.some(({ text }) => /(^| )-j REJECT\b/.test(text))) return "rejected";
  // somebody has said that nobody listens, whether the sender got to hear it or not
  if (frames.some(({ direction, packet }) => direction === "tx" && packet !== null && refuses(packet)))
    return "refused";
  if (icmp?.type === ICMP_TIME_EXCEEDED) return "expired";
  if (icmp?.type === ICMP_DEST_UNREACH) return "unreachable";
  return NO_WAY.has(sender.errno ?? "") ? "unreachable" : "dropped";
}

const refuses = (p: Packet): boolean =>
  p.protocol === IPPROTO_TCP
    ? (p.tcpFlags & TCP_RST) !== 0
    : p.protocol === IPPROTO_ICMP && p.icmpType === ICMP_DEST_UNREACH && p.icmpCode === ICMP_PORT_UNREACH;

function deliveredOf(request: FlowRequest, record: FlowRecord): Outcome["delivered"] {
  if (request.protocol === "icmp") return echoedBy(request, record);
  const [first] = record.receivers;
  if (first === undefined) return request.protocol === "tcp" ? synTakenBy(record) : null;
  const { netns, owner, source, destination } = first;
  return { netns, owner, source, destination, ttl: first.ttl ?? synTtl(record, netns, source, destination) };
}

/** A listener took the SYN, as its SYN/ACK tells, though no connection came of it. */
function synTakenBy({ frames }: FlowRecord): Outcome["delivered"] {
  const answer = frames.find(
    ({ packet: p, direction }) =>
      p?.protocol === IPPROTO_TCP && p.tcpFlags === (TCP_SYN | TCP_ACK) && direction === "tx",
  );
  if (answer?.packet == null) return null;
  const { netns, packet } = answer;
  const { source: destination, destination: source } = ends(packet);
  return { netns, owner: null, source, destination, ttl: synTtl({ frames }, netns, source, destination) };
}

/** The TTL with which a connection's SYN came to its listener. */
function synTtl(
  { frames }: Pick<FlowRecord, "frames">,
  netns: string,
  source: string,
  destination: string,
): number | null {
  const syn = frames.filter(
    ({ netns: where, direction, packet: p }) =>
      where === netns &&
      direction === "rx" &&
      p?.protocol === IPPROTO_TCP &&
      p.tcpFlags === TCP_SYN &&
      ends(p).source === source &&
      ends(p).destination === destination,
  );
  return syn.at(-1)?.packet?.ttl ?? null;
}

/** An echo request has arrived where the first answer came from. */
function echoedBy({ sourcePort, from }: FlowRequest, { frames }: FlowRecord): Outcome["delivered"] {
  const isEcho = (p: Packet | null, type: number): p is Packet =>
    p?.protocol === IPPROTO_ICMP && p.fragOffset === 0 && p.icmpType === type;
  const answer = frames.find(
    ({ packet, direction }) => isEcho(packet, 0) && direction === "tx" && packet.icmpSeq === 1,
  );
  if (answer?.packet == null) return null;
  const { netns, packet } = answer;
  // OUTPUT has put the address right again in what a namespace answers to itself
  const asked = frames.filter(
    ({ netns: where, direction, packet: p }) =>
      where === netns &&
      direction === "rx" &&
      isEcho(p, 8) &&
      p.dst === packet.src &&
      (p.src === packet.dst || (netns === from && p.icmpId === packet.icmpId)),
  );
  const request = asked.at(-1)?.packet;
  if (request == null || (netns !== from && request.icmpId === 0 && sourcePort !== 0)) return null;
  return { netns, owner: null, ...ends(request), ttl: request.ttl };
}

function ends(p: Packet): { source: string; destination: string } {
  const ports = p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP;
  return {
    source: formatIpv4(p.src) + (ports ? `:${p.sport}` : ""),
    destination: formatIpv4(p.dst) + (ports ? `:${p.dport}` : ""),
  };
}

/** Is the packet one of the flow's way back to its sender's socket? */
function comesBack(request: FlowRequest, p: Packet): boolean {
  if (p.fragOffset !== 0) return false;
  if (request.protocol === "icmp")
    return p.protocol === IPPROTO_ICMP && p.icmpType === 0 && p.icmpId === request.sourcePort;
  const protocol = request.protocol === "tcp" ? IPPROTO_TCP : IPPROTO_UDP;
  return p.protocol === protocol && p.dport === request.sourcePort;
}

function replyOf(request: FlowRequest, frames: readonly Frame[]): Outcome["reply"] {
  const reply = frames.find(
    ({ packet: p }) => p !== null && comesBack(request, p) && (p.tcpFlags & TCP_RST) === 0,
  )?.packet;
  return reply == null ? null : { source: ends(reply).source, ttl: reply.ttl };
}

function resetOf(request: FlowRequest, frames: readonly Frame[]): Outcome["reset"] {
  const reset = frames.find(
    ({ packet: p }) =>
      p !== null && request.protocol === "tcp" && comesBack(request, p) && p.tcpFlags & TCP_RST,
  )?.packet;
  return reset == null ? null : { source: ends(reset).source, ttl: reset.ttl };
}

/** The first ICMP error about the flow that came to the sender's namespace. */
function errorOf(request: FlowRequest, frames: readonly Frame[], sent: readonly Frame[]): Outcome["icmp"] {
  for (const { packet: p } of frames) {
    if (p === null || p.protocol !== IPPROTO_ICMP || p.inner === null) continue;
    if (p.icmpType !== ICMP_DEST_UNREACH && p.icmpType !== ICMP_TIME_EXCEEDED) continue;
    if (!isAbout(request, p.inner) && !sent.some(({ packet }) => packet !== null && quotes(p.inner!, packet)))
      continue;
    const mtu = p.icmpType === ICMP_DEST_UNREACH && p.icmpCode === ICMP_FRAG_NEEDED ? p.icmpInfo : null;
    return { type: p.icmpType, code: p.icmpCode, from: formatIpv4(p.src), ttl: p.ttl, mtu };
  }
  return null;
}

const isAbout = ({ protocol, sourcePort, destination }: FlowRequest, quoted: Packet): boolean =>
  (protocol === "icmp" ? quoted.icmpId : quoted.sport) === sourcePort &&
  formatIpv4(quoted.dst) === destination;

/**
 * Is it what a node has sent, its source translated there, its destination perhaps on the way, and not a tunnel's packet?
 */
const quotes = (quoted: Packet, sent: Packet): boolean =>
  quoted.protocol === sent.protocol &&
  quoted.src === sent.src &&
  quoted.sport === sent.sport &&
  quoted.icmpId === sent.icmpId &&
  !TUNNEL_PORTS.has(quoted.dport);
