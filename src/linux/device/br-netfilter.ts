import { ETH_P_IP, ipTotalLength, isFragment } from "../../packet/packet.ts";
import { ipFragment } from "../ip/fragment.ts";
import { neighbourFor } from "../ip/neighbour.ts";
import { ipRouteInput } from "../ip/route-input.ts";
import { ipRouteOutput } from "../ip/route-output.ts";
import { reportRoute } from "../ip/route-report.ts";
import { confirm } from "../netfilter/conntrack/confirm.ts";
import { NF_ACCEPT, NF_INET_FORWARD, NF_INET_POST_ROUTING, NF_INET_PRE_ROUTING } from "../netfilter/hooks.ts";
import { NfBridgeInfo, PACKET_HOST, PACKET_OTHERHOST, type Skb } from "../skb.ts";
import type { Bridge, BridgePort } from "./bridge.ts";

/**
 * br_netfilter (net/bridge/br_netfilter_hooks.c): with net.bridge.bridge-nf-call-iptables=1 a bridged IP packet
 * visits iptables on its way through the bridge, as if the bridge were a router between its ports:
 *
 *   PREROUTING  in=docker0           then, if DNAT gave it another destination: a routing decision
 *   FORWARD     in=docker0 out=docker0, once a port
 *   POSTROUTING           out=docker0, once a port
 *
 * Every function returns true when it has taken the packet over.
 */

/** `br_nf_pre_routing` */
export function brNfPreRouting(bridge: Bridge, port: BridgePort, skb: Skb): boolean {
  const p = skb.packet;
  if (p.etherType !== ETH_P_IP) return false;
  const netns = bridge.netns;
  const info = new NfBridgeInfo();
  skb.nfBridge = info;
  if (skb.pktType === PACKET_OTHERHOST) {
    skb.pktType = PACKET_HOST;
    info.pktOtherhost = true;
  }
  info.inPrerouting = true;
  info.physindev = port.dev;
  skb.dev = bridge;
  const destination = p.dst;
  // A reassembled datagram comes out of the defragmenter as the packet that completed it
  const verdict = netns.netfilter.run(NF_INET_PRE_ROUTING, skb, bridge, null);
  if (verdict !== NF_ACCEPT) return true;
  preRoutingFinish(bridge, port, skb, destination);
  return true;
}

/** `br_nf_pre_routing_finish`: where to, if DNAT has changed the destination. */
function preRoutingFinish(bridge: Bridge, port: BridgePort, skb: Skb, destination: number): void {
  const netns = bridge.netns;
  const info = skb.nfBridge!;
  info.fragMaxSize = skb.fragMaxSize;
  if (info.pktOtherhost) {
    skb.pktType = PACKET_OTHERHOST;
    info.pktOtherhost = false;
  }
  info.inPrerouting = false;
  const p = skb.packet;
  if (p.dst !== destination) {
    const reason = ipRouteInput(netns, skb, bridge);
    if (reason !== null) {
      // Bridged and DNATed traffic needs no forwarding, if the new destination is on this very bridge
      const route =
        reason === "IP_INADDRERRORS" && bridge.conf.forwarding === 0 ? ipRouteOutput(netns, p.dst, 0) : null;
      if (route === null || typeof route === "string" || route.dev !== bridge) {
        netns.drop(skb, reason, "br_nf_pre_routing_finish");
        return;
      }
      skb.route = route;
      bridgedDnat(bridge, port, skb);
      return;
    }
    if (skb.route!.dev === bridge) {
      bridgedDnat(bridge, port, skb);
      return;
    }
    const { recorder } = netns.network;
    if (recorder !== null) reportRoute(recorder, netns, skb, "input");
    p.dmac = bridge.mac;
    skb.pktType = PACKET_HOST;
  } else skb.route = bridge.fakeRoute;
  skb.dev = port.dev;
  bridge.handleFrameFinish(port, skb);
}

/** `br_nf_pre_routing_finish_bridge`: the new destination is on the same bridge; its MAC goes into the frame. */
function bridgedDnat(bridge: Bridge, port: BridgePort, skb: Skb): void {
  const netns = bridge.netns;
  const route = skb.route!;
  const { recorder } = netns.network;
  if (recorder !== null) {
    reportRoute(recorder, netns, skb, "input");
    bridge.report(skb, "bridged-dnat", port.dev.name, "the new destination is on this bridge");
  }
  const neighbour = neighbourFor(netns, bridge, route.gateway || skb.packet.dst);
  const info = skb.nfBridge!;
  if (neighbour.connected && neighbour.headerCached) {
    skb.packet.dmac = neighbour.mac;
    skb.dev = port.dev;
    bridge.handleFrameFinish(port, skb);
    return;
  }
  // the neighbour code writes a whole new Ethernet header: keep the sender's address
  info.originalSmac = skb.packet.smac;
  info.bridgedDnat = true;
  skb.dev = bridge;
  neighbour.resolveOutput(skb);
}

/** `br_nf_dev_xmit`: a DNATed packet comes back from the neighbour code and goes on bridging. */
export function brNfDevXmit(bridge: Bridge, skb: Skb): boolean {
  const info = skb.nfBridge;
  if (info === null || !info.bridgedDnat) return false;
  info.bridgedDnat = false;
  info.physoutdev = null;
  skb.packet.smac = info.originalSmac;
  const indev = info.physindev!;
  skb.dev = indev;
  bridge.handleFrameFinish(indev.port!, skb);
  return true;
}

/**
 * `br_nf_local_in`: a frame that goes up. What promiscuous mode brings up loses its connection; what is not for us
 * alone (a broadcast) is confirmed here, since copies of it were flooded. False when the packet ended.
 */
export function brNfLocalIn(bridge: Bridge, skb: Skb, promiscuous: boolean): boolean {
  if (promiscuous) {
    skb.ct = null;
    skb.ctinfo = 0;
    return true;
  }
  if (skb.ct === null || skb.pktType === PACKET_HOST) return true;
  return confirm(bridge.netns, skb) === NF_ACCEPT;
}

/** `br_nf_forward_ip` */
export function brNfForward(bridge: Bridge, to: BridgePort, skb: Skb): boolean {
  const info = skb.nfBridge;
  if (info === null) return false;
  const netns = bridge.netns;
  // copies of a flooded frame share the note of where it came from, but leave by ports of their own
  const own = new NfBridgeInfo();
  own.physindev = info.physindev;
  own.originalSmac = info.originalSmac;
  own.fragMaxSize = info.fragMaxSize;
  skb.nfBridge = own;
  if (skb.pktType === PACKET_OTHERHOST) {
    skb.pktType = PACKET_HOST;
    own.pktOtherhost = true;
  }
  skb.fragMaxSize = own.fragMaxSize;
  own.physoutdev = to.dev;
  if (netns.netfilter.run(NF_INET_FORWARD, skb, bridge, bridge) !== NF_ACCEPT) return true;
  if (own.pktOtherhost) {
    skb.pktType = PACKET_OTHERHOST;
    own.pktOtherhost = false;
  }
  skb.dev = to.dev;
  bridge.forwardFinish(to, skb);
  return true;
}

/** `br_nf_post_routing` and `br_nf_dev_queue_xmit`: what was reassembled for the hooks is cut again. */
export function brNfPostRouting(bridge: Bridge, to: BridgePort, skb: Skb): boolean {
  const info = skb.nfBridge;
  if (info === null || info.physoutdev === null) return false;
  const netns = bridge.netns;
  const wasOtherhost = skb.pktType === PACKET_OTHERHOST;
  if (wasOtherhost) skb.pktType = PACKET_HOST;
  if (netns.netfilter.run(NF_INET_POST_ROUTING, skb, null, bridge) !== NF_ACCEPT) return true;
  if (wasOtherhost) skb.pktType = PACKET_OTHERHOST;
  skb.nfBridge = null;
  let mtu = to.dev.mtu;
  if (info.fragMaxSize !== 0 && info.fragMaxSize < mtu) mtu = info.fragMaxSize;
  if (skb.gsoSize !== 0 || isFragment(skb.packet) || ipTotalLength(skb.packet) <= mtu) {
    bridge.queuePushXmit(to, skb);
    return true;
  }
  // br_nf_ip_fragment: cut to the MTU of the bridge, whatever the port's is
  const dstMtu = skb.route?.dev.mtu ?? bridge.mtu;
  if ((skb.packet.df !== 0 && !skb.ignoreDf) || info.fragMaxSize > dstMtu) {
    netns.drop(
      skb,
      "NOT_SPECIFIED",
      "br_nf_ip_fragment",
      null,
      `DF is set and ${to.dev.name} takes ${mtu} bytes`,
    );
    return true;
  }
  skb.fragMaxSize = info.fragMaxSize;
  ipFragment(netns, skb, dstMtu, (fragment) => bridge.queuePushXmit(to, fragment));
  return true;
}
