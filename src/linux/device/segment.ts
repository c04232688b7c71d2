import { BROADCAST_MAC } from "../../packet/packet.ts";
import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import { NetDevice } from "./device.ts";
import { ethTypeTrans } from "./receive.ts";

/** A wire with a switch that has learned every address: an L2 segment that joins NICs. */
export class Segment {
  readonly name: string;
  readonly nics: Nic[] = [];
  private readonly byMac = new Map<number, Nic>();

  constructor(name: string) {
    this.name = name;
  }

  attach(nic: Nic): void {
    this.nics.push(nic);
    this.byMac.set(nic.mac, nic);
  }

  /** Carries a frame to whom it is for; broadcast and unknown addresses to everybody else on the wire. */
  carry(from: Nic, skb: Skb): void {
    const to = skb.packet.dmac === BROADCAST_MAC ? undefined : this.byMac.get(skb.packet.dmac);
    if (to !== undefined) {
      if (to !== from) arrive(to, skb);
      else from.netns.drop(skb, "NOT_SPECIFIED", "segment", null, "the frame is for its own sender");
      return;
    }
    for (const nic of this.nics) if (nic !== from) arrive(nic, skb.clone());
  }
}

function arrive(nic: Nic, skb: Skb): void {
  skb.scrub();
  ethTypeTrans(skb, nic);
  nic.netns.network.enqueue(nic, skb);
}

/** A physical interface on a segment. */
export class Nic extends NetDevice {
  readonly kind = "nic";
  readonly segment: Segment;

  constructor(netns: Netns, name: string, mac: number, mtu: number, segment: Segment) {
    super(netns, name, mac, mtu);
    this.segment = segment;
    segment.attach(this);
  }

  transmit(skb: Skb): void {
    this.segment.carry(this, skb);
  }
}
