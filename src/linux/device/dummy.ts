import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { NetDevice } from "./device.ts";

/** A device that swallows whatever is sent by it (drivers/net/dummy.c): it is there for its addresses. */
export class Dummy extends NetDevice {
  readonly kind = "dummy";

  constructor(netns: Netns, name: string, mac: number, mtu = 1500) {
    super(netns, name, mac, mtu);
    this.noarp = true;
  }

  transmit(skb: Skb): void {
    this.netns.drop(skb, "NOT_SPECIFIED", "dummy_xmit", null, `${this.name} leads nowhere`);
  }
}
