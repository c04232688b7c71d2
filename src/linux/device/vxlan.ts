import { ETH_P_IP, IPPROTO_UDP, ipTotalLength, Packet } from "../../packet/packet.ts";
import { ipLocalOut } from "../ip/output.ts";
import { ipRouteOutput } from "../ip/route-output.ts";
import type { Netns } from "../netns.ts";
import { Skb } from "../skb.ts";
import { NetDevice } from "./device.ts";
import { flowHash } from "./flow-hash.ts";
import { ethTypeTrans } from "./receive.ts";

/** Outer IP, UDP and VXLAN headers and the inner Ethernet header: what a VXLAN device's MTU is less by. */
export const VXLAN_HEADROOM = 50;
const VXLAN_HLEN = 8;
const ETH_HLEN = 14;

export interface VxlanOptions {
  readonly vni: number;
  /** Outer UDP destination port; Linux's default is 8472. */
  readonly port: number;
  /** Outer source address, unsigned 32-bit. */
  readonly local: number;
  /** The device that the outer packets should leave by (`dev`); null: as routed. */
  readonly lower: NetDevice | null;
  readonly learning: boolean;
}

/** A VXLAN device (drivers/net/vxlan/vxlan_core.c) with a forwarding database of remote ends by MAC. */
export class Vxlan extends NetDevice {
  readonly kind = "vxlan";
  readonly options: VxlanOptions;
  /** MAC → address of the far end (`bridge fdb … dst`). */
  readonly fdb = new Map<number, number>();

  constructor(netns: Netns, name: string, mac: number, mtu: number, options: VxlanOptions) {
    super(netns, name, mac, mtu);
    this.options = options;
    netns.sockets.bindTunnel(options.port, this);
  }

  /** `vxlan_xmit`: find the far end, wrap the frame up, send it as a datagram of this host's. */
  transmit(skb: Skb): void {
    const frame = skb.packet;
    const remote = this.fdb.get(frame.dmac);
    if (remote === undefined) {
      this.netns.drop(skb, "VXLAN_NO_REMOTE", "vxlan_xmit", null, "no far end is known for that MAC");
      return;
    }
    const { vni, port, local, lower } = this.options;
    const route = ipRouteOutput(this.netns, remote, local, lower);
    if (typeof route === "string") {
      this.netns.drop(skb, "IP_OUTNOROUTES", "vxlan_xmit_one");
      return;
    }
    const outer = new Packet();
    outer.protocol = IPPROTO_UDP;
    outer.src = local;
    outer.dst = remote;
    outer.sport = flowHash(frame, skb.hash, this.netns.sysctl.localPortRange);
    outer.dport = port;
    outer.ttl = this.netns.sysctl.scalar["net.ipv4.ip_default_ttl"];
    outer.id = this.netns.nextIpId();
    outer.inner = frame;
    outer.vni = vni;
    outer.payloadLength = VXLAN_HLEN + ETH_HLEN + (frame.etherType === ETH_P_IP ? ipTotalLength(frame) : 28);
    const carrier = new Skb(outer);
    carrier.route = route;
    carrier.mark = skb.mark;
    carrier.gsoSize = skb.gsoSize;
    this.netns.originate(carrier, "tunnel", skb.serial);
    this.report("encapsulate", skb.serial, carrier.serial, frame);
    ipLocalOut(this.netns, carrier);
  }

  /** `vxlan_rcv`: a datagram has come to our port; the frame in it arrives at this device. */
  receive(outer: Skb): void {
    const packet = outer.packet;
    if (packet.inner === null || packet.vni !== this.options.vni) {
      this.netns.drop(outer, "VXLAN_VNI_NOT_FOUND", "vxlan_rcv");
      return;
    }
    const skb = new Skb(packet.inner.clone());
    skb.serial = outer.cause;
    skb.gsoSize = outer.gsoSize;
    skb.mark = outer.mark;
    if (skb.packet.smac === this.mac) {
      this.netns.drop(skb, "NOT_SPECIFIED", "vxlan_set_mac", null, "the frame's sender is this device");
      return;
    }
    if (this.options.learning) this.learn(skb.packet.smac, packet.src);
    ethTypeTrans(skb, this);
    this.report("decapsulate", skb.serial, outer.serial, skb.packet);
    this.netns.network.enqueue(this, skb);
  }

  private learn(mac: number, remote: number): void {
    this.netns.clock.journal?.set(this.fdb, mac);
    this.fdb.set(mac, remote);
  }

  private report(action: "encapsulate" | "decapsulate", serial: number, outer: number, packet: Packet): void {
    const recorder = this.netns.network.recorder;
    if (recorder === null) return;
    recorder.record({
      type: "tunnel",
      timeUs: this.netns.clock.nowUs,
      netns: this.netns.name,
      serial,
      action,
      device: this.name,
      outer,
      packet: packet.clone(),
    });
  }
}
