import {
  Conntrack,
  IP_CT_DIR_ORIGINAL,
  IP_CT_UNTRACKED,
  IPS_ASSURED,
  IPS_DST_NAT_DONE,
  IPS_EXPECTED,
  IPS_SEEN_REPLY,
  IPS_SRC_NAT_DONE,
  TcpTracking,
} from "../../linux/netfilter/conntrack/entry.ts";
import { ConntrackTable, type Found } from "../../linux/netfilter/conntrack/table.ts";
import { invertTuple, tupleEqual, tupleOfPacket } from "../../linux/netfilter/conntrack/tuple.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Skb } from "../../linux/skb.ts";
import { IPPROTO_TCP, type Packet } from "../../packet/packet.ts";
import { makePacket } from "./packet.ts";
import type { RuleFileRequest } from "./request.ts";

const HOUR_US = 3_600_000_000;
const TCP_CONNTRACK_ESTABLISHED = 3;
const SCTP_CONNTRACK_ESTABLISHED = 4;

/** A table that expects one connection, as a helper makes it do (net/netfilter/nf_conntrack_expect.c). */
class ExpectingTable extends ConntrackTable {
  private readonly expected: Conntrack;

  constructor(netns: Netns, expected: Conntrack) {
    super(netns);
    this.expected = expected;
  }

  override find(src: number, dst: number, sport: number, dport: number, protocol: number): Found {
    if (tupleEqual({ src, dst, sport, dport, protocol }, this.expected.original))
      return { ct: this.expected, direction: IP_CT_DIR_ORIGINAL };
    return super.find(src, dst, sport, dport, protocol);
  }
}

/**
 * Lets connection tracking find the packet in the state that is asked for, and by nothing but its own look-up:
 *
 * | state       | by                                                                                  |
 * |-------------|-------------------------------------------------------------------------------------|
 * | NEW         | an empty table                                                                      |
 * | ESTABLISHED | a connection that has been answered and was never translated                        |
 * | RELATED     | tcp, udp, sctp: an expectation; icmp: an error about a connection in the table      |
 * | INVALID     | tcp: an ACK of no connection where none may be picked up; icmp: an answer to nothing |
 * | UNTRACKED   | the packet itself, see {@link markUntracked}                                        |
 *
 * `install` puts the rules in force, which needs to know the table.
 */
export function prepareConntrack(netns: Netns, request: RuleFileRequest, install: () => void): void {
  const { netfilter, sysctl } = netns;
  const packet = makePacket(request);
  if (request.state === "RELATED" && packet.inner === null)
    netfilter.conntrack = new ExpectingTable(netns, connectionOf(packet, IPS_EXPECTED));
  install();
  if (request.state === "INVALID") sysctl.set("net.netfilter.nf_conntrack_tcp_loose", 0);
  const quoted = packet.inner;
  if (request.state === "ESTABLISHED") netfilter.conntrack?.insert(answered(packet));
  if (request.state === "RELATED" && quoted !== null) netfilter.conntrack?.insert(answered(quoted));
}

/** The packet goes by connection tracking, as after `-j CT --notrack`. */
export function markUntracked(skb: Skb): void {
  skb.ctinfo = IP_CT_UNTRACKED;
}

function connectionOf(packet: Packet, status: number): Conntrack {
  const original = tupleOfPacket(packet);
  const ct = new Conntrack(original, invertTuple(original)!);
  ct.status = status;
  ct.expiresUs = HOUR_US;
  if (packet.protocol === IPPROTO_TCP) ct.tcp = new TcpTracking();
  return ct;
}

function answered(packet: Packet): Conntrack {
  const ct = connectionOf(packet, IPS_SEEN_REPLY | IPS_ASSURED | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE);
  ct.tcpState = packet.protocol === IPPROTO_TCP ? TCP_CONNTRACK_ESTABLISHED : SCTP_CONNTRACK_ESTABLISHED;
  return ct;
}
