import { formatIpv4 } from "../../../packet/address.ts";
import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from "../../../packet/packet.ts";
import type { Netns } from "../../netns.ts";
import type { ConntrackEvent } from "../../recorder.ts";
import { type Conntrack, SCTP_CONNTRACK_NAMES, TCP_CONNTRACK_NAMES, type Tuple } from "./entry.ts";

/** `S:p>D:p`; protocols without ports show addresses alone. */
export function formatTuple(t: Tuple): string {
  const ports = t.protocol === IPPROTO_TCP || t.protocol === IPPROTO_UDP || t.protocol === IPPROTO_SCTP;
  if (ports) return `${formatIpv4(t.src)}:${t.sport}>${formatIpv4(t.dst)}:${t.dport}`;
  return `${formatIpv4(t.src)}>${formatIpv4(t.dst)}`;
}

/** The state that `conntrack -L` shows; null for protocols without one. */
export function stateName(ct: Conntrack): string | null {
  if (ct.protocol === IPPROTO_TCP) return TCP_CONNTRACK_NAMES[ct.tcpState] ?? null;
  if (ct.protocol === IPPROTO_SCTP) return SCTP_CONNTRACK_NAMES[ct.tcpState] ?? null;
  return null;
}

/** An event about a connection, for the recorder. */
export function describe(
  netns: Netns,
  serial: number,
  action: ConntrackEvent["action"],
  ct: Conntrack,
): ConntrackEvent {
  return {
    type: "conntrack",
    timeUs: netns.clock.nowUs,
    netns: netns.name,
    serial,
    action,
    protocol: ct.protocol,
    original: formatTuple(ct.original),
    reply: formatTuple(ct.reply),
    state: stateName(ct),
  };
}
