import type { NetDevice } from "../../linux/device/device.ts";
import { INPUT_FORWARD, type Route } from "../../linux/ip/route.ts";
import { addressType, ipRouteOutput } from "../../linux/ip/route-output.ts";
import { RTN_BROADCAST, RTN_LOCAL, RTN_UNICAST } from "../../linux/netfilter/context.ts";
import {
  HOOK_NAMES,
  type Hook,
  type HookName,
  NF_ACCEPT,
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
} from "../../linux/netfilter/hooks.ts";
import type { Skb } from "../../linux/skb.ts";
import type { Machine } from "./machine.ts";

/** Which hooks a packet came to, in order, and whether it got past the last. */
export interface Traversal {
  readonly hooks: readonly HookName[];
  readonly accepted: boolean;
}

/**
 * Takes a packet through the hooks of a machine, in the order of net/ipv4, and nowhere else: no martian check, no TTL
 * that runs out, no neighbour.
 *
 *   received:  PREROUTING ─┬─ its destination is here ─▶ INPUT
 *                          └─ elsewhere ──────────────▶ FORWARD ─▶ POSTROUTING
 *   made here: OUTPUT ─▶ POSTROUTING ─┬─ to here: by lo ─▶ PREROUTING ─▶ INPUT
 *                                     └─ elsewhere
 */
export function traverse(machine: Machine, skb: Skb): Traversal {
  const { netns } = machine;
  const hooks: HookName[] = [];
  const pass = (hook: Hook, indev: NetDevice | null, outdev: NetDevice | null): boolean => {
    hooks.push(HOOK_NAMES[hook]);
    return netns.netfilter.run(hook, skb, indev, outdev) === NF_ACCEPT;
  };
  const accepted = machine.in === null ? send(machine, skb, pass) : receive(machine, machine.in, skb, pass);
  return { hooks, accepted };
}

type Pass = (hook: Hook, indev: NetDevice | null, outdev: NetDevice | null) => boolean;

function receive(machine: Machine, dev: NetDevice, skb: Skb, pass: Pass): boolean {
  skb.dev = dev;
  skb.inputIfindex = dev.ifindex;
  if (!pass(NF_INET_PRE_ROUTING, dev, null)) return false;
  const route = routeOf(machine, skb);
  skb.route = route;
  if (route.type !== RTN_UNICAST) return pass(NF_INET_LOCAL_IN, dev, null);
  skb.packet.ttl--;
  skb.forwarded = true;
  return pass(NF_INET_FORWARD, dev, route.dev) && leave(skb, route.dev, dev, pass);
}

function send(machine: Machine, skb: Skb, pass: Pass): boolean {
  const first = routeOf(machine, skb);
  skb.route = first;
  skb.dev = first.dev;
  if (!pass(NF_INET_LOCAL_OUT, null, first.dev)) return false;
  // a translated destination has another way
  const route = routeOf(machine, skb);
  skb.route = route;
  if (!leave(skb, route.dev, null, pass)) return false;
  const { loopback } = machine.netns;
  if (route.dev !== loopback) return true;
  skb.dev = loopback;
  skb.inputIfindex = loopback.ifindex;
  return pass(NF_INET_PRE_ROUTING, loopback, null) && pass(NF_INET_LOCAL_IN, loopback, null);
}

function leave(skb: Skb, out: NetDevice, indev: NetDevice | null, pass: Pass): boolean {
  skb.dev = out;
  return pass(NF_INET_POST_ROUTING, indev, out);
}

/** For the machine itself by lo, for anybody else by the device that was named. */
function routeOf({ netns, out }: Machine, skb: Skb): Route {
  const { dst } = skb.packet;
  const type = addressType(netns, dst, null);
  if (type === RTN_LOCAL) {
    const route = ipRouteOutput(netns, dst, 0);
    if (typeof route !== "string") return route;
  }
  const entry = netns.fib.lookupVia(dst, out)!;
  return netns.fib.route(entry, type === RTN_BROADCAST ? RTN_BROADCAST : RTN_UNICAST, INPUT_FORWARD);
}
