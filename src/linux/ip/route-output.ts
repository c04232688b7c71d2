import type { NetDevice } from "../device/device.ts";
import {
  type RouteType,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
} from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { selectSource } from "./address.ts";
import { INPUT_FORWARD, INPUT_LOCAL_DELIVER, type Route, type RouteError, routeTypeError } from "./route.ts";

const isMulticast = (a: number): boolean => a >>> 28 === 0xe;
const isLoopback = (a: number): boolean => a >>> 24 === 127;

/**
 * `ip_route_output_key_hash_rcu` (net/ipv4/route.c): the way for a packet made here, or the errno's name.
 * `source` 0 leaves the choice to the route (`route.source`); with one, it must be an address of this namespace
 * unless `anySource` (a reroute of somebody else's packet). `dev` asks for one device.
 */
export function ipRouteOutput(
  netns: Netns,
  destination: number,
  source: number,
  dev: NetDevice | null = null,
  anySource = false,
): Route | RouteError {
  if (source !== 0 && !anySource) {
    if (isMulticast(source) || source === 0xffffffff || source >>> 24 === 0) return "EINVAL";
    if (addressType(netns, source, null) !== RTN_LOCAL) return "EINVAL";
  }
  if (destination === 0) return ipRouteOutput(netns, 0x7f000001, source || 0x7f000001, null, anySource);
  let entry = netns.fib.lookup(destination);
  if (dev !== null && entry !== null && entry.dev !== dev && entry.type !== RTN_LOCAL)
    entry = netns.fib.lookupVia(destination, dev);
  if (entry === null) {
    if (dev === null) return "ENETUNREACH";
    // a device was named: the destination is taken to be on its link
    return {
      type: RTN_UNICAST,
      dev,
      gateway: 0,
      source: selectSource(dev, 0, 253),
      input: INPUT_FORWARD,
      error: null,
      entry: null,
    };
  }
  const error = routeTypeError(entry.type);
  if (error !== null) return error;
  if (entry.type === RTN_LOCAL) return netns.fib.route(entry, RTN_LOCAL, INPUT_LOCAL_DELIVER);
  // what is sent to everybody comes back to its sender too
  const input = entry.type === RTN_BROADCAST ? INPUT_LOCAL_DELIVER : INPUT_FORWARD;
  let route = netns.fib.route(entry, entry.type, input);
  if (destination === 0xffffffff)
    route = { ...route, type: RTN_BROADCAST, gateway: 0, input: INPUT_LOCAL_DELIVER, entry: null };
  // __mkroute_output: a loopback source may not leave by a real device
  const from = source || route.source;
  if (isLoopback(from) && !route.dev.loopback && !netns.sysctl.routeLocalnet(route.dev.conf)) return "EINVAL";
  return route;
}

/** The source address of a packet by `route` when its sender has not bound one: a local destination talks to itself. */
export const sourceFor = (route: Route, destination: number): number => route.source || destination;

/**
 * `inet_addr_type_dev_table` (net/ipv4/fib_frontend.c): what an address is to this namespace, by the local table;
 * with a device, an entry of another device does not count.
 */
export function addressType(netns: Netns, address: number, dev: NetDevice | null): RouteType {
  if (address >>> 24 === 0 || address === 0xffffffff) return RTN_BROADCAST;
  if (isMulticast(address)) return RTN_MULTICAST;
  const entry = netns.fib.lookupLocal(address);
  if (entry === null || (dev !== null && entry.dev !== dev)) return RTN_UNICAST;
  return entry.type;
}

/**
 * `ip_route_me_harder` (net/ipv4/netfilter.c): a packet of this namespace has another destination or mark now; it
 * keeps its source and gets the way that fits. Gives the errno when there is none.
 */
export function ipRouteMeHarder(netns: Netns, skb: Skb): RouteError | null {
  const { src, dst } = skb.packet;
  const type = addressType(netns, src, null);
  const keep = type === RTN_LOCAL || type === RTN_UNICAST;
  const route = ipRouteOutput(netns, dst, keep ? src : 0, null, keep);
  if (typeof route === "string") return route;
  skb.route = route;
  skb.dev = route.dev;
  return null;
}
