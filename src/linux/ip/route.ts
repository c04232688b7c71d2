import type { NetDevice, Scope } from "../device/device.ts";
import {
  type RouteType,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_PROHIBIT,
  RTN_UNICAST,
  RTN_UNREACHABLE,
} from "../netfilter/context.ts";

/** What a packet with this route is given to next: `dst->input`. */
export const INPUT_LOCAL_DELIVER = 1;
export const INPUT_FORWARD = 2;
export const INPUT_ERROR = 3;
export type RouteInput = 1 | 2 | 3;

/** Errors of a route look-up, by their errno's name. */
export type RouteError = "ENETUNREACH" | "EHOSTUNREACH" | "EACCES" | "EINVAL";

/** A routing decision: `struct rtable`. Shared by every packet that takes the same way; never changed once made. */
export interface Route {
  readonly type: RouteType;
  /** The device that the packet leaves by; lo for a local destination. */
  readonly dev: NetDevice;
  /** Next hop; 0 when the destination itself is on the link. */
  readonly gateway: number;
  /** Source address for a packet that has none yet: the route's preferred source or one of the device's. */
  readonly source: number;
  readonly input: RouteInput;
  readonly error: RouteError | null;
  /** The routing entry it came from; null for an error. */
  readonly entry: FibEntry | null;
}

export const RT_TABLE_LOCAL = 255;
export const RT_TABLE_MAIN = 254;

/** One routing entry, as `ip route` shows it. */
export interface FibEntry {
  readonly table: 254 | 255;
  readonly type: RouteType;
  /** Network address, unsigned 32-bit, host bits zero. */
  readonly destination: number;
  readonly prefixLength: number;
  /** Next hop, or 0. */
  readonly gateway: number;
  /** null for blackhole, unreachable, prohibit. */
  readonly dev: NetDevice | null;
  /** `src`: preferred source, or 0. */
  readonly prefsrc: number;
  readonly metric: number;
  readonly scope: Scope;
  readonly protocol: "kernel" | "boot" | "static";
  readonly onlink: boolean;
  /** Path MTU of the route, or 0: the device's. */
  readonly mtu: number;
}

/** fib_props (net/ipv4/fib_semantics.c): the error that a look-up ending at a route of this type gives. */
export function routeTypeError(type: RouteType): RouteError | null {
  switch (type) {
    case RTN_BLACKHOLE:
      return "EINVAL";
    case RTN_UNREACHABLE:
      return "EHOSTUNREACH";
    case RTN_PROHIBIT:
      return "EACCES";
    default:
      return null;
  }
}

/** How `ip route` names the types. */
export const ROUTE_TYPE_NAMES: Record<RouteType, string> = {
  [RTN_UNICAST]: "unicast",
  [RTN_LOCAL]: "local",
  [RTN_BROADCAST]: "broadcast",
  4: "anycast",
  [RTN_MULTICAST]: "multicast",
  [RTN_BLACKHOLE]: "blackhole",
  [RTN_UNREACHABLE]: "unreachable",
  [RTN_PROHIBIT]: "prohibit",
};
