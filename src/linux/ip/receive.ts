import { NF_ACCEPT, NF_INET_PRE_ROUTING } from "../netfilter/hooks.ts";
import type { Netns } from "../netns.ts";
import { PACKET_OTHERHOST, type Skb } from "../skb.ts";
import { ipLocalDeliver } from "./deliver.ts";
import { ipError } from "./error.ts";
import { ipForward } from "./forward.ts";
import { INPUT_ERROR, INPUT_FORWARD, INPUT_LOCAL_DELIVER } from "./route.ts";
import { ipRouteInput } from "./route-input.ts";
import { reportRoute } from "./route-report.ts";

/** `ip_rcv` (net/ipv4/ip_input.c): an IPv4 packet has come in by `skb.dev`. */
export function ipReceive(netns: Netns, skb: Skb): void {
  if (skb.pktType === PACKET_OTHERHOST) {
    netns.drop(skb, "OTHERHOST", "ip_rcv");
    return;
  }
  // ip_rcv_core clears what an earlier visit to the IP layer has noted (IPCB)
  skb.doRedirect = false;
  skb.fragMaxSize = 0;
  // what the control block said belongs to a bridge's visit to the hooks
  skb.fragMaxSize = 0;
  // ip_sabotage_in (br_netfilter): the bridge has taken this packet through PREROUTING already
  const bridged = skb.nfBridge !== null && !skb.nfBridge.inPrerouting;
  if (!bridged && netns.netfilter.run(NF_INET_PRE_ROUTING, skb, skb.dev, null) !== NF_ACCEPT) return;
  ipReceiveFinish(netns, skb);
}

/** `ip_rcv_finish`: find the route, unless the packet still has the one by which it left (loopback), and follow it. */
function ipReceiveFinish(netns: Netns, skb: Skb): void {
  if (skb.route === null) {
    const reason = ipRouteInput(netns, skb, skb.dev!);
    if (reason !== null) {
      netns.drop(skb, reason, "ip_rcv_finish_core");
      return;
    }
    const { recorder } = netns.network;
    if (recorder !== null) reportRoute(recorder, netns, skb, "input");
  }
  const route = skb.route!;
  switch (route.input) {
    case INPUT_LOCAL_DELIVER:
      ipLocalDeliver(netns, skb);
      return;
    case INPUT_FORWARD:
      ipForward(netns, skb);
      return;
    case INPUT_ERROR:
      ipError(netns, skb);
  }
}
