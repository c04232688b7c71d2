import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { NetDevice } from "./device.ts";
import { isForwardable } from "./forwardable.ts";
import { ethTypeTrans } from "./receive.ts";

/** One end of a veth pair (drivers/net/veth.c). Without carrier while the other end is down. */
export class Veth extends NetDevice {
  readonly kind = "veth";
  peer: Veth | null = null;

  override get carrier(): boolean {
    return this.peer?.up ?? false;
  }

  /** `veth_xmit` → `dev_forward_skb`: into the other namespace, where nothing of this one's notes is valid. */
  transmit(skb: Skb): void {
    const peer = this.peer;
    if (peer === null || !isForwardable(peer, skb)) {
      this.netns.drop(
        skb,
        "NOT_SPECIFIED",
        "veth_xmit",
        null,
        peer?.up ? "longer than the peer's MTU" : "the peer is down",
      );
      return;
    }
    skb.scrub();
    ethTypeTrans(skb, peer);
    this.netns.network.enqueue(peer, skb);
  }
}

/** Describes one end of a veth pair to be. */
export interface VethEnd {
  readonly netns: Netns;
  readonly name: string;
  readonly mac: number;
  readonly mtu?: number;
}

/** `ip link add … type veth peer name …`: both ends, down. */
export function addVethPair(a: VethEnd, b: VethEnd): [Veth, Veth] {
  const one = new Veth(a.netns, a.name, a.mac, a.mtu ?? 1500);
  const other = new Veth(b.netns, b.name, b.mac, b.mtu ?? 1500);
  one.peer = other;
  other.peer = one;
  return [one, other];
}
