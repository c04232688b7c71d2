import type { Skb } from "../../skb.ts";
import type { NetfilterHost } from "../context.ts";

/** What the extensions here ask of a namespace beyond {@link NetfilterHost}. */
export interface RuleHost extends NetfilterHost {
  /** MTU in bytes of the route that the packet has (`dst_mtu(skb_dst(skb))`); the largest number when it has none. */
  routeMtu(skb: Skb): number;
  /** MTU in bytes of the route to an address (net/netfilter/xt_TCPMSS.c: tcpmss_reverse_mtu); the largest number when there is none. */
  mtuTo(address: number): number;
  /**
   * Would the packet's source be answered through the device it came in by
   * (net/ipv4/netfilter/ipt_rpfilter.c: rpfilter_lookup_reverse)? Routes to this host's own addresses count
   * too. With `loose` any device will do.
   */
  reversePath(skb: Skb, loose: boolean, useMark: boolean): boolean;
  /** A line for the kernel's log, as LOG writes it, without time. */
  log(text: string, skb: Skb): void;
}
