import type { Chooser } from "../chooser.ts";
import type { Clock } from "../clock.ts";
import type { NetDevice } from "../device/device.ts";
import { addressType, ipRouteOutput } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { type RouteType, RTN_LOCAL, RTN_UNICAST } from "./context.ts";
import type { RuleHost } from "./rules/host.ts";

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** What the rules may ask of a namespace. */
export const ruleHost = (netns: Netns): RuleHost => new NetnsRuleHost(netns);

class NetnsRuleHost implements RuleHost {
  readonly clock: Clock;
  private readonly netns: Netns;

  constructor(netns: Netns) {
    this.clock = netns.clock;
    this.netns = netns;
  }

  get chooser(): Chooser {
    return this.netns.network.chooser;
  }

  get tracksConnections(): boolean {
    return this.netns.netfilter.conntrack !== null;
  }

  addressType(address: number, dev: NetDevice | null): RouteType {
    return addressType(this.netns, address, dev);
  }

  routeMtu({ route, packet }: Skb): number {
    return route === null ? NO_LIMIT : this.netns.fib.mtu(route, packet.dst);
  }

  mtuTo(address: number): number {
    const route = ipRouteOutput(this.netns, address, 0);
    return typeof route === "string" ? NO_LIMIT : this.netns.fib.mtu(route, address);
  }

  reversePath(skb: Skb, loose: boolean): boolean {
    return reversePath(this.netns, skb, loose);
  }

  log(text: string, skb: Skb): void {
    const { clock, netns } = this;
    netns.network.recorder?.record({
      type: "log",
      timeUs: clock.nowUs,
      netns: netns.name,
      serial: skb.serial,
      text,
    });
  }
}

/** `rpfilter_lookup_reverse` (net/ipv4/netfilter/ipt_rpfilter.c): does the way back to the source lead by the device it came by? */
function reversePath(netns: Netns, skb: Skb, loose: boolean): boolean {
  const back = netns.fib.lookup(skb.packet.src);
  if (back === null || (back.type !== RTN_UNICAST && back.type !== RTN_LOCAL)) return false;
  return loose || back.dev === skb.dev;
}
