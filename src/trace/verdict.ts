import type { DropEvent, NetworkEvent } from "../linux/recorder.ts";
import type { Errno } from "../linux/socket/error.ts";
import { formatIpv4 } from "../packet/address.ts";
import { ICMP_DEST_UNREACH, ICMP_REDIRECT, ICMP_TIME_EXCEEDED, type Packet } from "../packet/packet.ts";
import type { Roles } from "./role.ts";
import type { IcmpError, Place, Verdict } from "./trace.ts";

/** How one packet ended. */
export interface Ending {
  readonly verdict: Verdict;
  readonly reason: string | null;
  readonly at: Place | null;
}

/** Where flanneld lets go of a packet: a process, so no kernel drop reason stands for it. */
const FLANNELD = new Set(["tun_to_udp", "udp_to_tun", "sock_send_packet"]);

/** What a sender's own namespace says when there is no way, or none for so long a packet. */
const NO_WAY: ReadonlySet<Errno> = new Set(["ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL", "EMSGSIZE"]);

/** The ICMP errors that came back to `netns` about the packets that `about` accepts by number. */
export function icmpErrorsTo(
  events: readonly NetworkEvent[],
  roles: Roles,
  netns: string,
  about: (serial: number) => boolean,
): IcmpError[] {
  const errors: IcmpError[] = [];
  for (const e of events) {
    if (e.type !== "deliver" || e.netns !== netns || e.packet.icmpType === ICMP_REDIRECT) continue;
    const { role, outer, cause } = roles.of(e.serial);
    if (role === "icmp-error" && !outer && about(cause))
      errors.push({ type: e.packet.icmpType, code: e.packet.icmpCode, from: formatIpv4(e.packet.src) });
  }
  return errors;
}

/**
 * How a packet ended, from what was dropped, delivered and said back. `icmp` is the error that its sender was told,
 * `errno` what the sender's own namespace answered instead of sending.
 */
export function endingOf(
  events: readonly NetworkEvent[],
  roles: Roles,
  serial: number,
  icmp: IcmpError | null,
  errno: Errno | null,
): Ending {
  if (serial === 0) return endingOfUnsent(errno);
  if (events.some((e) => e.type === "deliver" && e.serial === serial))
    return { verdict: "delivered", reason: null, at: null };
  const drop = decidingDrop(events, roles, serial);
  const verdict = verdictOf(drop, icmp, errno);
  const last = drop ?? dropOfError(events, roles, serial);
  return {
    verdict,
    reason:
      last === null || FLANNELD.has(last.location) ? dropReasonOfError(events, roles, serial) : last.reason,
    at: last === null ? lastPlace(events, roles, serial) : placeOf(last),
  };
}

function endingOfUnsent(errno: Errno | null): Ending {
  if (errno === null) return { verdict: "dropped", reason: null, at: null };
  const unreachable = errno !== "EPERM";
  const reason = errno === "EMSGSIZE" ? "PKT_TOO_BIG" : unreachable ? "IP_OUTNOROUTES" : null;
  return { verdict: unreachable ? "unreachable" : "dropped", reason, at: null };
}

function verdictOf(drop: DropEvent | null, icmp: IcmpError | null, errno: Errno | null): Verdict {
  if (drop?.reason === "NO_SOCKET") return "refused";
  if (drop?.reason === "NETFILTER_DROP" && drop.detail === "REJECT") return "rejected";
  if (icmp?.type === ICMP_TIME_EXCEEDED) return "expired";
  if (icmp?.type === ICMP_DEST_UNREACH) return "unreachable";
  return errno !== null && NO_WAY.has(errno) ? "unreachable" : "dropped";
}

/** The drop that ended the packet: of several (copies of a flooded frame, fragments) the one that says most. */
function decidingDrop(events: readonly NetworkEvent[], roles: Roles, serial: number): DropEvent | null {
  const drops = events.filter((e): e is DropEvent => e.type === "drop" && e.serial === serial);
  const outer = events.filter(
    (e): e is DropEvent =>
      e.type === "drop" && roles.of(e.serial).outer && roles.of(e.serial).cause === serial,
  );
  const telling = [...drops, ...outer].filter(({ reason }) => reason !== "OTHERHOST");
  return telling[telling.length - 1] ?? drops[drops.length - 1] ?? null;
}

/** The drop of the ICMP error that was to tell the sender. */
function dropOfError(events: readonly NetworkEvent[], roles: Roles, serial: number): DropEvent | null {
  return (
    events.find((e): e is DropEvent => {
      const { role, cause } = roles.of(e.serial);
      return e.type === "drop" && role === "icmp-error" && cause === serial;
    }) ?? null
  );
}

const dropReasonOfError = (events: readonly NetworkEvent[], roles: Roles, serial: number): string | null =>
  dropOfError(events, roles, serial)?.reason ?? null;

const placeOf = ({ netns, device, hook, table, chain, rule }: DropEvent): Place => ({
  netns,
  device,
  hook,
  table,
  chain,
  rule: rule === 0 ? null : rule,
});

/** Where a packet ended that never was: in its sender's namespace, before any device. */
export const placeOfUnsent = (netns: string): Place => ({
  netns,
  device: null,
  hook: null,
  table: null,
  chain: null,
  rule: null,
});

/** Where the packet, or the one around it, was last seen. */
function lastPlace(events: readonly NetworkEvent[], roles: Roles, serial: number): Place | null {
  for (let i = events.length - 1; i >= 0; i--) {
    const e = events[i]!;
    const { outer, cause } = roles.of(e.serial);
    if (e.type === "device" && (e.serial === serial || (outer && cause === serial)))
      return { netns: e.netns, device: e.device, hook: null, table: null, chain: null, rule: null };
  }
  return null;
}

/** The packet as it was where it was taken or dropped; failing that, where it was last seen. */
export function packetAtEnd(events: readonly NetworkEvent[], serial: number): Packet | null {
  let last: Packet | null = null;
  for (const e of events) {
    if (e.serial !== serial) continue;
    if (e.type === "deliver") return e.packet;
    if (e.type === "drop" || e.type === "device" || e.type === "origin") last = e.packet;
  }
  return last;
}
