import type { Packet } from "../packet/packet.ts";
import type { NetDevice } from "./device/device.ts";
import type { Route, RouteError } from "./ip/route.ts";
import type { Conntrack } from "./netfilter/conntrack/entry.ts";

export const PACKET_HOST = 0;
export const PACKET_BROADCAST = 1;
export const PACKET_MULTICAST = 2;
export const PACKET_OTHERHOST = 3;
export const PACKET_OUTGOING = 4;
/** A copy of what this namespace itself sends to everybody. */
export const PACKET_LOOPBACK = 5;
export type PacketType = 0 | 1 | 2 | 3 | 4 | 5;

/** Who made a packet: what a trace calls it by. */
export type OriginKind = "socket" | "reset" | "icmp-echo-reply" | "icmp-error" | "arp" | "tunnel" | "daemon";

/** `struct nf_bridge_info`: what br_netfilter remembers while a bridged packet visits the IP hooks. */
export class NfBridgeInfo {
  physindev: NetDevice | null = null;
  physoutdev: NetDevice | null = null;
  /** The packet was a unicast frame for another MAC before br_netfilter claimed it for the IP hooks. */
  pktOtherhost = false;
  /** DNAT sent it elsewhere on the bridge: the neighbour's output puts the MAC in and bridges it on. */
  bridgedDnat = false;
  /** Source MAC as received, put back when the frame leaves by the bridge. */
  originalSmac = 0;
  /** Where the IP hooks ran from the bridge's forwarding (BRNF_BRIDGED in older kernels). */
  inPrerouting = false;
  /** Largest size a reassembled packet's fragments had. */
  fragMaxSize = 0;
}

/** `struct sk_buff`: a packet and what one namespace's kernel notes about it on its way. */
export class Skb {
  packet: Packet;
  /** The device that received it, later the device by which it leaves. */
  dev: NetDevice | null = null;
  /** Index of the device that received it, 0 for a packet made here (`skb->skb_iif`). */
  inputIfindex = 0;
  pktType: PacketType = PACKET_HOST;
  mark = 0;
  ct: Conntrack | null = null;
  /** IP_CT_*; meaningful when `ct` is set, or IP_CT_UNTRACKED. */
  ctinfo = 0;
  /** The route taken (`skb_dst`). */
  route: Route | null = null;
  nfBridge: NfBridgeInfo | null = null;
  /** Sizes to which a reassembled packet is cut again (`IPCB(skb)->frag_max_size`). 0 when it never was a fragment. */
  fragMaxSize = 0;
  /** Payload lengths of the fragments it was made of, in order (`frag_list`); null when it never was in pieces. */
  fragLengths: readonly number[] | null = null;
  /** The sender allows cutting here in spite of DF (`skb->ignore_df`). */
  ignoreDf = false;
  /** IPSKB_DOREDIRECT: it will leave by the device it came by. */
  doRedirect = false;
  /** The errno with which a hook dropped it (NF_DROP_ERR), or ip_fragment; null stands for EPERM. */
  dropError: RouteError | "EMSGSIZE" | null = null;
  /** Forwarded by this namespace (IPSKB_FORWARDED). */
  forwarded = false;
  /** IPVS has dealt with it here and will not do so again (`skb->ipvs_property`). */
  ipvsProperty = false;
  /** Segments that the sender left to the device (GSO): payload bytes a segment, 0 when it is one packet. */
  gsoSize = 0;
  /** `skb->hash` where its socket set it (sk_txhash); 0: whoever needs one takes it from the headers. NAT leaves it. */
  hash = 0;
  /** Number of the packet in this simulation; copies and translations keep it. */
  serial = 0;
  origin: OriginKind = "socket";
  /** Serial of the packet that caused this one (answered, complained about, encapsulated); 0 when none. */
  cause = 0;

  constructor(packet: Packet) {
    this.packet = packet;
  }

  /** `skb_clone` with its own header copy: for flooding. */
  clone(): Skb {
    const skb = new Skb(this.packet.clone());
    skb.dev = this.dev;
    skb.inputIfindex = this.inputIfindex;
    skb.pktType = this.pktType;
    skb.mark = this.mark;
    skb.ct = this.ct;
    skb.ctinfo = this.ctinfo;
    skb.route = this.route;
    skb.nfBridge = this.nfBridge;
    skb.fragMaxSize = this.fragMaxSize;
    skb.fragLengths = this.fragLengths;
    skb.ignoreDf = this.ignoreDf;
    skb.doRedirect = this.doRedirect;
    skb.forwarded = this.forwarded;
    skb.ipvsProperty = this.ipvsProperty;
    skb.gsoSize = this.gsoSize;
    skb.hash = this.hash;
    skb.serial = this.serial;
    skb.origin = this.origin;
    skb.cause = this.cause;
    return skb;
  }

  /** A copy that shares nothing that may change: to go on in this one's stead, which stays as it is. */
  double(): Skb {
    const skb = this.clone();
    if (this.nfBridge !== null) skb.nfBridge = Object.assign(new NfBridgeInfo(), this.nfBridge);
    return skb;
  }

  /** `skb_scrub_packet(skb, true)`: what a packet loses when it goes over into another namespace (net/core/skbuff.c). */
  scrub(): void {
    this.pktType = PACKET_HOST;
    this.inputIfindex = 0;
    this.mark = 0;
    this.ct = null;
    this.ctinfo = 0;
    this.route = null;
    this.nfBridge = null;
    this.fragMaxSize = 0;
    this.fragLengths = null;
    this.ignoreDf = false;
    this.doRedirect = false;
    this.forwarded = false;
    this.ipvsProperty = false;
  }
}
