import { addressType, ipRouteOutput } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { RTN_LOCAL, RTN_UNICAST } from "./context.ts";
import type { RuleHost } from "./rules/host.ts";

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** What the rules may ask of a namespace. */
export function ruleHost(netns: Netns): RuleHost {
  return {
    clock: netns.clock,
    get chooser() {
      return netns.network.chooser;
    },
    get tracksConnections() {
      return netns.netfilter.conntrack !== null;
    },
    addressType: (address, dev) => addressType(netns, address, dev),
    routeMtu: ({ route, packet }) => (route === null ? NO_LIMIT : netns.fib.mtu(route, packet.dst)),
    mtuTo(address) {
      const route = ipRouteOutput(netns, address, 0);
      return typeof route === "string" ? NO_LIMIT : netns.fib.mtu(route, address);
    },
    reversePath: (skb, loose) => reversePath(netns, skb, loose),
    log(text, skb) {
      const { recorder } = netns.network;
      recorder?.record({
        type: "log",
        timeUs: netns.clock.nowUs,
        netns: netns.name,
        serial: skb.serial,
        text,
      });
    },
  };
}

/** `rpfilter_lookup_reverse` (net/ipv4/netfilter/ipt_rpfilter.c): does the way back to the source lead by the device it came by? */
function reversePath(netns: Netns, skb: Skb, loose: boolean): boolean {
  const back = netns.fib.lookup(skb.packet.src);
  if (back === null || (back.type !== RTN_UNICAST && back.type !== RTN_LOCAL)) return false;
  return loose || back.dev === skb.dev;
}
