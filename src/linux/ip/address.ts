import { broadcastOf, netmask, networkOf } from "../../packet/address.ts";
import {
  type InterfaceAddress,
  type NetDevice,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  type Scope,
} from "../device/device.ts";
import { type RouteType, RTN_BROADCAST, RTN_LOCAL, RTN_UNICAST } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import { type FibEntry, RT_TABLE_LOCAL, RT_TABLE_MAIN } from "./route.ts";

/** An address to be put on a device; `broadcast: null` is `ip addr add` without `brd`. */
export interface NewAddress {
  readonly local: number;
  readonly prefixLength: number;
  readonly broadcast?: number | null;
  readonly scope?: Scope;
}

/**
 * `ip addr add`: the address and the routes that come with it (fib_add_ifaddr): that it is local at once, the others
 * while the device is up. Primary addresses stand before secondary ones, wider scopes after narrower
 * (net/ipv4/devinet.c: __inet_insert_ifa).
 */
export function addAddress(
  dev: NetDevice,
  { local, prefixLength, broadcast = null, scope = 0 }: NewAddress,
): void {
  const secondary = dev.addresses.some(
    (a) =>
      a.prefixLength === prefixLength && networkOf(a.local, prefixLength) === networkOf(local, prefixLength),
  );
  const address: InterfaceAddress = { local, prefixLength, broadcast, scope, secondary };
  let at = secondary ? dev.addresses.length : 0;
  if (!secondary)
    dev.addresses.forEach((a, i) => {
      if (!a.secondary && scope <= a.scope) at = i + 1;
    });
  dev.addresses.splice(at, 0, address);
  addRoutes(dev, address);
}

/** `ip link set DEV up|down`, with the routes and neighbours that go with it. */
export function setLinkUp(dev: NetDevice, up: boolean): void {
  if (dev.up === up) return;
  dev.up = up;
  const { fib, neighbours } = dev.netns;
  if (up) for (const address of dev.addresses) addRoutes(dev, address);
  else {
    // fib_disable_ip: every route by the device goes, those added by hand too; its addresses stay local
    for (const table of [RT_TABLE_LOCAL, RT_TABLE_MAIN] as const)
      for (const entry of [...fib.entries(table)])
        if (entry.dev === dev && entry.type !== RTN_LOCAL) fib.remove(entry);
    neighbours.flush(dev);
    // masq_device_event: connections that took the device's address end with it
    const { conntrack } = dev.netns.netfilter;
    if (conntrack !== null)
      for (const ct of conntrack.entries()) if (ct.masqueradeIfindex === dev.ifindex) conntrack.remove(ct);
  }
  fib.changed();
  portLost(dev, up);
}

/**
 * A device whose carrier goes forgets its neighbours (neigh_carrier_down), as a bridge port forgets whom it knew
 * (br_stp_disable_port); so does the other end of a veth pair.
 */
function portLost(dev: NetDevice, up: boolean): void {
  if (up) return;
  const peer = "peer" in dev ? (dev.peer as NetDevice | null) : null;
  for (const end of [dev, peer]) {
    if (end === null) continue;
    if (end !== dev) end.netns.neighbours.flush(end);
    if (end.port === null) continue;
    end.port.bridge.fdb.forgetPort(end.port, false);
  }
}

function addRoutes(dev: NetDevice, a: InterfaceAddress): void {
  const { fib } = dev.netns;
  // fib_add_ifaddr: what belongs to a secondary address has its primary's as preferred source
  const primary = a.secondary
    ? dev.addresses.find((other) => !other.secondary && sameSubnet(other, a.local))
    : a;
  if (primary === undefined) return;
  const route = (
    table: 254 | 255,
    type: RouteType,
    destination: number,
    prefixLength: number,
    scope: Scope,
  ): FibEntry => ({
    table,
    type,
    destination,
    prefixLength,
    gateway: 0,
    dev,
    prefsrc: primary.local,
    metric: 0,
    scope,
    protocol: "kernel",
    onlink: false,
    mtu: 0,
  });
  const add = (entry: FibEntry): void => {
    if (!fib.has(entry)) fib.add(entry, true);
  };
  add(route(RT_TABLE_LOCAL, RTN_LOCAL, a.local, 32, RT_SCOPE_HOST));
  if (!dev.up) return;
  if (a.broadcast !== null) add(route(RT_TABLE_LOCAL, RTN_BROADCAST, a.broadcast, 32, RT_SCOPE_LINK));
  const network = networkOf(a.local, a.prefixLength);
  if (a.secondary || a.prefixLength === 32 || network === 0) return;
  // the prefix: in the local table for loopback (127.0.0.0/8 is local), else in main
  if (dev.loopback) add(route(RT_TABLE_LOCAL, RTN_LOCAL, network, a.prefixLength, RT_SCOPE_HOST));
  else add(route(RT_TABLE_MAIN, RTN_UNICAST, network, a.prefixLength, RT_SCOPE_LINK));
  // fib_add_ifaddr: since 5.14 only the highest address of a prefix is a broadcast address, not the lowest
  if (a.prefixLength < 31)
    add(route(RT_TABLE_LOCAL, RTN_BROADCAST, broadcastOf(a.local, a.prefixLength), 32, RT_SCOPE_LINK));
}

/**
 * `inet_select_addr` (net/ipv4/devinet.c): an address of `dev` for talking to `destination` (0: anybody), of at most
 * the given scope; failing that, one of another device. 0 when the namespace has none.
 */
export function selectSource(dev: NetDevice, destination: number, scope: Scope): number {
  const localnetScope = dev.netns.sysctl.routeLocalnet(dev.conf) ? RT_SCOPE_LINK : RT_SCOPE_HOST;
  let found = 0;
  for (const a of dev.addresses) {
    if (a.secondary || Math.min(a.scope, localnetScope) > scope) continue;
    if (destination === 0 || sameSubnet(a, destination)) return a.local;
    if (found === 0) found = a.local;
  }
  if (found !== 0) return found;
  for (const other of dev.netns.devices.values()) {
    for (const a of other.addresses)
      if (!a.secondary && a.scope !== RT_SCOPE_LINK && a.scope <= scope) return a.local;
  }
  return 0;
}

/** `inet_ifa_match` */
const sameSubnet = (a: InterfaceAddress, address: number): boolean =>
  a.prefixLength === 0 || ((a.local ^ address) & netmask(a.prefixLength)) === 0;

/** `inet_addr_onlink`: is `address` in one of the device's subnets? */
export function onLink(dev: NetDevice, address: number): boolean {
  // a loop, since packets that are bridged after DNAT come here: no closure for each
  for (const a of dev.addresses) if (sameSubnet(a, address)) return true;
  return false;
}

/**
 * `inet_confirm_addr` (net/ipv4/devinet.c): is `address` one of the device's, of at most this scope, and, unless
 * `sender` is 0, in a subnet that the sender is in too?
 */
export function confirmAddress(dev: NetDevice, sender: number, address: number, scope: Scope): boolean {
  return dev.addresses.some(
    (a) => a.local === address && a.scope <= scope && (sender === 0 || sameSubnet(a, sender)),
  );
}

/** `inet_addr_onlink` with two addresses: is there a subnet of the device that both are in? */
export const sharesSubnet = (dev: NetDevice, one: number, other: number): boolean =>
  dev.addresses.some((a) => sameSubnet(a, one) && sameSubnet(a, other));

/** `ip route add`'s words; what is left out is as `ip` leaves it out. */
export interface NewRoute {
  /** Network, host bits zero; 0/0 is the default route. */
  readonly destination: number;
  readonly prefixLength: number;
  readonly type?: RouteType;
  readonly gateway?: number;
  readonly dev?: NetDevice | null;
  readonly prefsrc?: number;
  readonly metric?: number;
  readonly scope?: Scope;
  readonly onlink?: boolean;
  readonly mtu?: number;
  readonly table?: 254 | 255;
}

/** Completes `ip route add`'s words into an entry: the device of the gateway, the scope (iproute2's and fib_check_nh's). */
export function completeRoute(netns: Netns, route: NewRoute): FibEntry {
  const type = route.type ?? RTN_UNICAST;
  const gateway = route.gateway ?? 0;
  let dev = route.dev ?? null;
  if (gateway !== 0 && dev === null) {
    const via = netns.fib.lookup(gateway);
    if (via === null || via.type !== RTN_UNICAST || via.gateway !== 0)
      throw new RangeError("Nexthop has invalid gateway.");
    dev = via.dev;
  }
  if (gateway !== 0 && !route.onlink) {
    const via = netns.fib.lookupVia(gateway, dev!);
    // fib_check_nh_v4_gw looks among routes of link scope: a gateway behind a gateway is none
    if (via === null || via.type !== RTN_UNICAST || via.gateway !== 0)
      throw new RangeError("Nexthop has invalid gateway.");
  }
  const discards = type > 5;
  return {
    table: route.table ?? (type === RTN_LOCAL || type === RTN_BROADCAST ? RT_TABLE_LOCAL : RT_TABLE_MAIN),
    type,
    destination: networkOf(route.destination, route.prefixLength),
    prefixLength: route.prefixLength,
    gateway,
    dev: discards ? null : dev,
    prefsrc: route.prefsrc ?? 0,
    metric: route.metric ?? 0,
    scope: route.scope ?? defaultScope(type, gateway, discards),
    protocol: "boot",
    onlink: route.onlink ?? false,
    mtu: route.mtu ?? 0,
  };
}

/** iproute2's choice when `scope` is not given (ip/iproute.c: iproute_modify). */
function defaultScope(type: RouteType, gateway: number, discards: boolean): Scope {
  if (type === RTN_LOCAL) return RT_SCOPE_HOST;
  if (type === RTN_BROADCAST) return RT_SCOPE_LINK;
  if (discards) return RT_SCOPE_UNIVERSE;
  return gateway === 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/** `ip route add`. Throws RangeError with the kernel's words when the gateway cannot be one. */
export function addRoute(netns: Netns, route: NewRoute): FibEntry {
  const entry = completeRoute(netns, route);
  if (entry.type === RTN_LOCAL && entry.table === RT_TABLE_LOCAL) netns.fib.hasCustomLocalRoutes = true;
  netns.fib.add(entry);
  return entry;
}
