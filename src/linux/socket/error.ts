import { ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED } from "../../packet/packet.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";

export type Errno =
  | "EPERM"
  | "ENETUNREACH"
  | "EHOSTUNREACH"
  | "ECONNREFUSED"
  | "EMSGSIZE"
  | "ETIMEDOUT"
  | "EACCES"
  | "EINVAL"
  | "ENOPROTOOPT"
  | "EPROTO"
  | "ECONNRESET";

/** An error that a socket has learned of. */
export interface SocketError {
  readonly errno: Errno;
  /** The ICMP error behind it; null for an error of this namespace's own. */
  readonly icmp: IcmpOrigin | null;
  /** Path MTU told, or null. */
  readonly mtu: number | null;
}

export interface IcmpOrigin {
  readonly type: number;
  readonly code: number;
  /** Who sent it, unsigned 32-bit. */
  readonly from: number;
}

/** icmp_err_convert (net/ipv4/icmp.c): errno of each unreachable code. */
const UNREACHABLE: readonly Errno[] = [
  "ENETUNREACH",
  "EHOSTUNREACH",
  "ENOPROTOOPT",
  "ECONNREFUSED",
  "EMSGSIZE",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "EHOSTUNREACH",
  "EHOSTUNREACH",
  "EHOSTUNREACH",
];

/** What an ICMP error means to the socket whose packet it quotes. */
export function errorOf(skb: Skb): SocketError {
  const { icmpType: type, icmpCode: code, src: from, icmpInfo } = skb.packet;
  const icmp = { type, code, from };
  if (type === ICMP_DEST_UNREACH)
    return { errno: UNREACHABLE[code] ?? "EHOSTUNREACH", icmp, mtu: code === 4 ? icmpInfo : null };
  if (type === ICMP_TIME_EXCEEDED) return { errno: "EHOSTUNREACH", icmp, mtu: null };
  return { errno: "EPROTO", icmp, mtu: null };
}

/** Tells the recorder that a socket here has an error. `serial` is the packet's that it is about, or 0. */
export function reportSocketError(netns: Netns, serial: number, errno: Errno, mtu: number | null): void {
  const recorder = netns.network.recorder;
  if (recorder === null) return;
  recorder.record({ type: "socket-error", timeUs: netns.clock.nowUs, netns: netns.name, serial, errno, mtu });
}
