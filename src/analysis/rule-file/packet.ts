import {
  ICMP_DEST_UNREACH,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_HOST_UNREACH,
  IPPROTO_ICMP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Packet,
  TCP_ACK,
  TCP_SYN,
  TCPOPTS_ESTABLISHED,
  TCPOPTS_SYN,
} from "../../packet/packet.ts";
import { RequestError } from "../../trace/request.ts";
import type { RuleFileRequest, RuleProtocol } from "./request.ts";

const NUMBERS: Readonly<Record<RuleProtocol, number>> = {
  tcp: IPPROTO_TCP,
  udp: IPPROTO_UDP,
  icmp: IPPROTO_ICMP,
  sctp: IPPROTO_SCTP,
};

const QUOTED_PORT = 33434;

/**
 * The packet that is asked for: tcp a SYN when it begins a connection (NEW, RELATED, UNTRACKED), otherwise an ACK; icmp
 * an echo request, RELATED a host-unreachable about a datagram to where it comes from, INVALID an echo reply.
 *
 * @throws RequestError for a state that no packet of the protocol is in.
 */
export function makePacket(request: RuleFileRequest): Packet {
  const { protocol, state } = request;
  const p = new Packet();
  p.protocol = NUMBERS[protocol];
  p.src = request.source;
  p.dst = request.destination;
  p.sport = request.sourcePort;
  p.dport = request.destinationPort;
  p.df = protocol === "icmp" ? 0 : 1;
  if (protocol === "tcp") {
    const begins = state !== "ESTABLISHED" && state !== "INVALID";
    p.tcpFlags = begins ? TCP_SYN : TCP_ACK;
    p.tcpOptions = begins ? TCPOPTS_SYN : TCPOPTS_ESTABLISHED;
    p.mss = begins ? 1460 : 0;
    p.window = 64240;
    p.seq = 1;
    p.ack = begins ? 0 : 1;
  } else if (protocol === "icmp") {
    makeIcmp(p, state === "RELATED", state === "INVALID");
  } else {
    if (state === "INVALID")
      throw new RequestError(
        `no ${protocol} packet is INVALID but one with a wrong checksum, which is not modelled`,
      );
    p.payloadLength = 18;
  }
  return p;
}

function makeIcmp(p: Packet, isError: boolean, isAnswer: boolean): void {
  p.payloadLength = 56;
  if (!isError) {
    p.icmpType = isAnswer ? ICMP_ECHOREPLY : ICMP_ECHO;
    p.icmpId = 1;
    p.icmpSeq = 1;
    return;
  }
  const quoted = new Packet();
  quoted.protocol = IPPROTO_UDP;
  quoted.src = p.dst;
  quoted.dst = p.src;
  quoted.sport = QUOTED_PORT;
  quoted.dport = QUOTED_PORT;
  quoted.payloadLength = 28;
  p.icmpType = ICMP_DEST_UNREACH;
  p.icmpCode = ICMP_HOST_UNREACH;
  p.inner = quoted;
}
