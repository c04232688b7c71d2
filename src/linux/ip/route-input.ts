import { ETH_P_IP } from "../../packet/packet.ts";
import type { NetDevice } from "../device/device.ts";
import { RT_SCOPE_HOST } from "../device/device.ts";
import type { DropReason } from "../drop-reason.ts";
import { RTN_BROADCAST, RTN_LOCAL, RTN_UNICAST } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { onLink, sharesSubnet } from "./address.ts";
import {
  type FibEntry,
  INPUT_ERROR,
  INPUT_FORWARD,
  INPUT_LOCAL_DELIVER,
  type Route,
  type RouteError,
  routeTypeError,
} from "./route.ts";

const isMulticast = (a: number): boolean => a >>> 28 === 0xe;
const isLoopback = (a: number): boolean => a >>> 24 === 127;
const isZeronet = (a: number): boolean => a >>> 24 === 0;
const LIMITED_BROADCAST = 0xffffffff;

/**
 * `ip_route_input_slow` (net/ipv4/route.c): where does a received packet go? Sets `skb.route` and gives null, or
 * gives the reason why the packet is a martian. A packet that has no route at all gets one that leads to `ip_error`.
 */
export function ipRouteInput(netns: Netns, skb: Skb, dev: NetDevice): DropReason | null {
  const { src, dst } = skb.packet;
  skb.route = null;
  if (isMulticast(src) || src === LIMITED_BROADCAST) return "IP_INVALID_SOURCE";
  if (dst === LIMITED_BROADCAST || (src === 0 && dst === 0)) return broadcastInput(netns, skb, dev);
  if (isZeronet(src)) return "IP_INVALID_SOURCE";
  if (isZeronet(dst)) return "IP_INVALID_DEST";
  if ((isLoopback(dst) || isLoopback(src)) && !netns.sysctl.routeLocalnet(dev.conf)) return "IP_LOCALNET";

  const entry = netns.fib.lookup(dst);
  const error = entry === null ? "ENETUNREACH" : routeTypeError(entry.type);
  if (entry === null || error !== null)
    return noRoute(netns, skb, dev.conf.forwarding === 0 ? "EHOSTUNREACH" : error!);
  if (entry.type === RTN_BROADCAST) return broadcastInput(netns, skb, dev);
  if (entry.type === RTN_LOCAL) {
    const reason = validateSource(netns, skb, dev, 0);
    if (typeof reason === "string") return reason;
    skb.route = netns.fib.route(entry, RTN_LOCAL, INPUT_LOCAL_DELIVER);
    return null;
  }
  if (dev.conf.forwarding === 0) return noRoute(netns, skb, "EHOSTUNREACH");
  if (entry.type !== RTN_UNICAST) return "IP_INVALID_DEST";
  return mkrouteInput(netns, skb, dev, entry);
}

/** `__mkroute_input`: the packet is to be forwarded; would a redirect tell its sender a shorter way? */
function mkrouteInput(netns: Netns, skb: Skb, dev: NetDevice, entry: FibEntry): DropReason | null {
  const out = entry.dev!;
  const sourceOnLink = validateSource(netns, skb, dev, out.ifindex);
  if (typeof sourceOnLink === "string") return sourceOnLink;
  const isIp = skb.packet.etherType === ETH_P_IP;
  if (out === dev && sourceOnLink && isIp && netns.sysctl.txRedirects(out.conf)) {
    const sharedMedia = (netns.sysctl.all.shared_media | out.conf.shared_media) !== 0;
    const { src } = skb.packet;
    const reachable = entry.gateway === 0 ? onLink(out, src) : sharesSubnet(out, src, entry.gateway);
    if (sharedMedia || reachable) skb.doRedirect = true;
  }
  if (!isIp && out === dev) return "NOT_SPECIFIED";
  skb.route = netns.fib.route(entry, RTN_UNICAST, INPUT_FORWARD);
  return null;
}

function broadcastInput(netns: Netns, skb: Skb, dev: NetDevice): DropReason | null {
  if (skb.packet.etherType !== ETH_P_IP) return "NOT_SPECIFIED";
  if (!isZeronet(skb.packet.src)) {
    const reason = validateSource(netns, skb, dev, 0);
    if (typeof reason === "string") return reason;
  }
  skb.route = {
    type: RTN_BROADCAST,
    dev,
    gateway: 0,
    source: 0,
    input: INPUT_LOCAL_DELIVER,
    error: null,
    entry: null,
  };
  return null;
}

/** A route to `ip_error`: the device is lo, as for whatever has no next hop (ip_rt_get_dev). */
function noRoute(netns: Netns, skb: Skb, error: RouteError): null {
  skb.route = errorRoute(netns, error);
  return null;
}

function errorRoute(netns: Netns, error: RouteError): Route {
  return { type: 7, dev: netns.loopback, gateway: 0, source: 0, input: INPUT_ERROR, error, entry: null };
}

/**
 * `fib_validate_source` (net/ipv4/fib_frontend.c): may a packet with this source come by this device? A reason when
 * not; otherwise whether the source is on the link there. `oif` is the device it will leave by, 0 for a local one.
 */
function validateSource(netns: Netns, skb: Skb, dev: NetDevice, oif: number): DropReason | boolean {
  const { sysctl } = netns;
  const rpf = sysctl.rpFilter(dev.conf);
  const src = skb.packet.src;
  if (rpf === 0 && (dev.ifindex !== oif || !sysctl.txRedirects(dev.conf))) {
    if (sysctl.acceptLocal(dev.conf)) return false;
    if (!netns.fib.hasCustomLocalRoutes) return isOwnAddress(netns, src) ? "IP_LOCAL_SOURCE" : false;
  }
  return validateSourceFully(netns, src, dev, rpf);
}

/** `__fib_validate_source`: look the way back up. */
function validateSourceFully(netns: Netns, src: number, dev: NetDevice, rpf: number): DropReason | boolean {
  const back = netns.fib.lookup(src);
  if (back === null || routeTypeError(back.type) !== null) return rpf !== 0 ? "IP_RPFILTER" : false;
  if (back.type !== RTN_UNICAST) {
    if (back.type !== RTN_LOCAL) return "IP_INVALID_SOURCE";
    if (!netns.sysctl.acceptLocal(dev.conf)) return "IP_LOCAL_SOURCE";
  }
  if (back.dev === dev || (back.type === RTN_LOCAL && dev.loopback))
    return nextHopScope(back) >= RT_SCOPE_HOST;
  if (dev.addresses.length === 0) return rpf !== 0 ? "IP_RPFILTER" : false;
  if (rpf === 1) return "IP_RPFILTER";
  const loose = netns.fib.lookupVia(src, dev);
  return loose !== null && loose.type === RTN_UNICAST && nextHopScope(loose) >= RT_SCOPE_HOST;
}

/** nhc_scope: the scope of the way to the next hop: host when the destination is on the link, link when there is a gateway. */
const nextHopScope = (entry: FibEntry): number => (entry.gateway !== 0 ? 253 : 254);

/** `inet_lookup_ifaddr_rcu` */
function isOwnAddress(netns: Netns, address: number): boolean {
  const entry = netns.fib.lookupLocal(address);
  return (
    entry !== null && entry.type === RTN_LOCAL && entry.destination === address && entry.prefixLength === 32
  );
}
