import type { Chooser } from "../chooser.ts";
import type { Clock } from "../clock.ts";
import type { NetDevice } from "../device/device.ts";
import type { Hook } from "./hooks.ts";

/** Kinds of addresses as `-m addrtype` names them: RTN_* of the route that an address has (include/uapi/linux/rtnetlink.h). */
export const RTN_UNICAST = 1;
export const RTN_LOCAL = 2;
export const RTN_BROADCAST = 3;
export const RTN_ANYCAST = 4;
export const RTN_MULTICAST = 5;
export const RTN_BLACKHOLE = 6;
export const RTN_UNREACHABLE = 7;
export const RTN_PROHIBIT = 8;
export type RouteType = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What matches and targets may ask of the namespace that they judge a packet for. */
export interface NetfilterHost {
  readonly clock: Clock;
  readonly chooser: Chooser;
  /** `inet_dev_addr_type` (net/ipv4/fib_frontend.c); with a device the address must be reachable or local there. */
  addressType(address: number, dev: NetDevice | null): RouteType;
  /** net.netfilter.nf_conntrack_* are in force: rules here need connection tracking. */
  readonly tracksConnections: boolean;
}

/** `struct xt_action_param`: where the packet is while a rule looks at it. One object is reused for a whole walk. */
export interface HookState {
  hook: Hook;
  in: NetDevice | null;
  out: NetDevice | null;
}
