import type { Netns } from "../netns.ts";
import { PACKET_HOST, type Skb } from "../skb.ts";
import { NetDevice } from "./device.ts";

/** lo: what is sent comes in again, with its route, mark and conntrack entry (drivers/net/loopback.c: loopback_xmit). */
export class Loopback extends NetDevice {
  readonly kind = "loopback";

  constructor(netns: Netns) {
    super(netns, "lo", 0, 65536);
    this.loopback = true;
    this.noarp = true;
  }

  transmit(skb: Skb): void {
    skb.pktType = PACKET_HOST;
    this.netns.network.enqueue(this, skb);
  }
}
