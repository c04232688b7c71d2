import { devQueueXmit } from "../../src/linux/device/transmit.ts";
import { ipLocalOut } from "../../src/linux/ip/output.ts";
import { ipRouteOutput } from "../../src/linux/ip/route-output.ts";
import { Skb } from "../../src/linux/skb.ts";
import type { Packet } from "../../src/packet/packet.ts";
import { endOf, type Lab } from "./lab.ts";

/**
 * A packet leaves a raw socket with a header of its own (IP_HDRINCL). Gives the errno with which it was refused, or
 * null. A source of 0 is filled in by the route.
 */
export function sendRaw(lab: Lab, ns: string, packet: Packet): string | null {
  const netns = lab.ns(ns);
  const skb = new Skb(packet.clone());
  const route = ipRouteOutput(netns, skb.packet.dst, 0);
  if (typeof route === "string") return route;
  skb.route = route;
  if (skb.packet.src === 0) skb.packet.src = route.source || skb.packet.dst;
  netns.originate(skb, "socket", 0);
  return ipLocalOut(netns, skb) ? null : (skb.dropError ?? "EPERM");
}

/** A frame is put on a device as it is (AF_PACKET). */
export function injectFrame(lab: Lab, at: string, packet: Packet): void {
  const skb = new Skb(packet.clone());
  skb.dev = lab.dev(at);
  lab.ns(endOf(at).ns).originate(skb, "socket", 0);
  devQueueXmit(skb);
}
