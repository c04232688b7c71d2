import type { Packet } from "../../packet/packet.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, PACKET_OUTGOING, Skb } from "../skb.ts";
import { NetDevice } from "./device.ts";

/** The user-space process that has /dev/net/tun open: it reads what the kernel sends into the device. */
export interface TunOwner {
  read(packet: Packet, serial: number): void;
}

/** A TUN device (drivers/net/tun.c): bare IP packets between the kernel and a process. */
export class Tun extends NetDevice {
  readonly kind = "tun";
  owner: TunOwner | null = null;

  constructor(netns: Netns, name: string, mtu: number) {
    super(netns, name, 0, mtu);
    this.headerless = true;
    this.gso = false;
    this.noarp = true;
  }

  override get carrier(): boolean {
    return this.owner !== null;
  }

  /** `tun_net_xmit`: the packet waits until the process gets to read it, which is when the kernel is done for now. */
  transmit(skb: Skb): void {
    if (this.owner === null) {
      this.netns.drop(skb, "DEV_READY", "tun_net_xmit", null, "no process reads the device");
      return;
    }
    skb.pktType = PACKET_OUTGOING;
    this.netns.network.enqueue(this, skb);
  }

  override poll(skb: Skb): void {
    if (skb.pktType === PACKET_OUTGOING) this.owner?.read(skb.packet, skb.serial);
    else super.poll(skb);
  }

  /** `tun_get_user`: the process writes a packet; the kernel receives it. `skb` carries its number on. */
  write(packet: Packet, serial: number): void {
    const skb = new Skb(packet);
    skb.serial = serial;
    skb.pktType = PACKET_HOST;
    this.netns.network.enqueue(this, skb);
  }
}
