import type { Netns } from "../netns.ts";
import type { Skb } from "../skb.ts";
import type { DeviceConf } from "../sysctl.ts";
import type { BridgePort } from "./bridge.ts";
import { netifReceive } from "./receive.ts";

export type DeviceKind = "loopback" | "veth" | "bridge" | "tun" | "vxlan" | "nic" | "dummy";

export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_SITE = 200;
export const RT_SCOPE_LINK = 253;
export const RT_SCOPE_HOST = 254;
export const RT_SCOPE_NOWHERE = 255;
export type Scope = 0 | 200 | 253 | 254 | 255;

/** An IPv4 address on a device: `struct in_ifaddr`. Addresses are unsigned 32-bit integers. */
export interface InterfaceAddress {
  readonly local: number;
  readonly prefixLength: number;
  readonly broadcast: number | null;
  readonly scope: Scope;
  readonly secondary: boolean;
}

/** `struct net_device`: what every kind of device has. What differs is how it transmits. */
export abstract class NetDevice {
  readonly netns: Netns;
  readonly ifindex: number;
  readonly name: string;
  abstract readonly kind: DeviceKind;
  mac: number;
  /** Bytes of an IP packet that fit. */
  mtu: number;
  /** IFF_UP: the administrator's wish. Change it with `setLinkUp`, which moves routes and neighbours along. */
  up = false;
  promiscuous = false;
  loopback = false;
  /** IFF_NOARP: neighbours need no resolution here. */
  noarp = false;
  /** ARPHRD_NONE: frames have no Ethernet header (TUN). */
  headerless = false;
  /** NETIF_F_TSO: takes TCP packets longer than the MTU and leaves the cutting to later. */
  gso = true;
  readonly addresses: InterfaceAddress[] = [];
  /** net.ipv4.conf.NAME.* */
  readonly conf: DeviceConf;
  /** The bridge port that this device is, when it is enslaved (`rx_handler_data`). */
  port: BridgePort | null = null;

  constructor(netns: Netns, name: string, mac: number, mtu: number) {
    this.netns = netns;
    this.name = name;
    this.mac = mac;
    this.mtu = mtu;
    this.ifindex = netns.register(this);
    this.conf = netns.sysctl.newDevice(name);
  }

  /** `netif_carrier_ok`: is the other end there? */
  get carrier(): boolean {
    return true;
  }

  /** A frame that waited for this device in the backlog has its turn. */
  poll(skb: Skb): void {
    netifReceive(this, skb);
  }

  /** `ndo_start_xmit`: sends a frame whose Ethernet header (if it has one) is complete. */
  abstract transmit(skb: Skb): void;
}
