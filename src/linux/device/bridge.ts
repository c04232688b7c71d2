import { BROADCAST_MAC } from "../../packet/packet.ts";
import { INPUT_FORWARD, type Route } from "../ip/route.ts";
import { RTN_UNICAST } from "../netfilter/context.ts";
import type { Netns } from "../netns.ts";
import { PACKET_HOST, type Skb } from "../skb.ts";
import { brNfDevXmit, brNfForward, brNfLocalIn, brNfPostRouting, brNfPreRouting } from "./br-netfilter.ts";
import { NetDevice } from "./device.ts";
import { Fdb } from "./fdb.ts";
import { isForwardable } from "./forwardable.ts";
import { netifReceive } from "./receive.ts";
import { devQueueXmit } from "./transmit.ts";

/**
 * A bridge and a frame's way through it (net/bridge/br_input.c, br_forward.c, br_device.c):
 *
 *   port rx ─ handleFrame ─▶ br_nf PREROUTING ─▶ handleFrameFinish ─┬─ passFrameUp ─▶ the bridge device's own rx
 *                                                learn, look up     ├─ forward ─▶ br_nf FORWARD, POSTROUTING ─▶ port tx
 *   bridge device tx ─ transmit ───────────────────────────────────▶└─ flood  ─▶ the same, once for every port
 */
export class Bridge extends NetDevice {
  readonly kind = "bridge";
  /** Newest first, as `list_add_rcu` leaves them: the order of flooding. */
  readonly ports: BridgePort[] = [];
  readonly fdb: Fdb;
  /** `fake_rtable`: the route of a packet that is being bridged, so that what asks for one (icmp_send) finds one. */
  readonly fakeRoute: Route;

  constructor(netns: Netns, name: string, mac: number, mtu = 1500) {
    super(netns, name, mac, mtu);
    this.fdb = new Fdb(netns.clock);
    this.fdb.addLocal(mac, null);
    this.fakeRoute = {
      type: RTN_UNICAST,
      dev: this,
      gateway: 0,
      source: 0,
      input: INPUT_FORWARD,
      error: null,
      entry: null,
    };
  }

  /** `br_add_if`: enslaves a device. Throws RangeError when it belongs to a bridge already. */
  addPort(dev: NetDevice, options: { hairpin?: boolean } = {}): BridgePort {
    if (dev.port !== null) throw new RangeError(`${dev.name} is a port of ${dev.port.bridge.name} already`);
    const port = new BridgePort(this, dev, options.hairpin ?? false);
    dev.port = port;
    this.ports.unshift(port);
    this.fdb.addLocal(dev.mac, port);
    return port;
  }

  /** `br_del_if` */
  removePort(dev: NetDevice): void {
    const port = dev.port;
    if (port === null || port.bridge !== this) return;
    dev.port = null;
    this.ports.splice(this.ports.indexOf(port), 1);
    this.fdb.forgetPort(port, true);
  }

  override get carrier(): boolean {
    return this.ports.some((port) => port.forwarding);
  }

  /** `br_handle_frame`: a frame has come in by a port. */
  handleFrame(port: BridgePort, skb: Skb): void {
    if (!port.forwarding || !this.up) {
      this.netns.drop(skb, "BRIDGE_INGRESS_STP_STATE", "br_handle_frame");
      return;
    }
    if (skb.packet.dmac === this.mac) skb.pktType = PACKET_HOST;
    if (
      this.netns.sysctl.scalar["net.bridge.bridge-nf-call-iptables"] !== 0 &&
      brNfPreRouting(this, port, skb)
    )
      return;
    this.handleFrameFinish(port, skb);
  }

  /** `br_handle_frame_finish`: learn the sender, find the receiver. */
  handleFrameFinish(port: BridgePort, skb: Skb): void {
    const { smac, dmac } = skb.packet;
    if (this.fdb.learn(smac, port)) this.report(skb, "learn", port.dev.name, "");
    const promiscuous = this.promiscuous;
    if (dmac >= 0x10000000000 && Math.floor(dmac / 0x10000000000) & 1) {
      // broadcast (multicast is flooded alike: no snooping without a querier)
      this.flood(skb, true, false);
      this.passFrameUp(skb, false);
      return;
    }
    const entry = this.fdb.find(dmac);
    if (entry?.local) {
      this.passFrameUp(skb, false);
      return;
    }
    if (entry !== null) this.forward(entry.port!, skb, promiscuous, false);
    else this.flood(skb, promiscuous, false);
    if (promiscuous) this.passFrameUp(skb, true);
  }

  /** `br_pass_frame_up`: to the bridge device itself, as a frame that it received. */
  private passFrameUp(skb: Skb, promiscuous: boolean): void {
    this.report(skb, "local", this.name, "");
    if (!brNfLocalIn(this, skb, promiscuous)) return;
    // br_drop_fake_rtable
    if (skb.route === this.fakeRoute) skb.route = null;
    netifReceive(this, skb);
  }

  /** `br_forward`: out by one port, if that is not the one it came by. */
  private forward(to: BridgePort, skb: Skb, keep: boolean, localOrigin: boolean): void {
    if (!this.shouldDeliver(to, skb, localOrigin)) {
      if (!keep) {
        const detail =
          !localOrigin && skb.dev === to.dev
            ? `the frame would leave by ${to.dev.name}, by which it came, and hairpin is off there`
            : `${to.dev.name} is not forwarding`;
        this.report(skb, "blocked", to.dev.name, detail);
        this.netns.drop(
          skb,
          "NOT_SPECIFIED",
          localOrigin ? "br_dev_xmit" : "br_handle_frame_finish",
          null,
          detail,
        );
      }
      return;
    }
    this.report(skb, "forward", to.dev.name, "");
    this.forwardTo(to, keep ? skb.clone() : skb, localOrigin);
  }

  /** `br_flood`: out by every port but the one it came by. */
  private flood(skb: Skb, keep: boolean, localOrigin: boolean): void {
    const targets = this.ports.filter((port) => this.shouldDeliver(port, skb, localOrigin));
    if (targets.length === 0) {
      if (!keep) this.netns.drop(skb, "NOT_SPECIFIED", "br_flood", null, "no port to send it out by");
      return;
    }
    this.report(
      skb,
      "flood",
      targets.map((port) => port.dev.name).join(" "),
      describeTarget(skb.packet.dmac),
    );
    const last = targets.length - 1;
    const from = skb.dev;
    for (let i = 0; i <= last; i++) {
      const copy = i < last || keep ? skb.clone() : skb;
      copy.dev = from;
      this.forwardTo(targets[i]!, copy, localOrigin);
    }
  }

  /** `should_deliver` */
  private shouldDeliver(port: BridgePort, skb: Skb, localOrigin: boolean): boolean {
    return port.forwarding && (localOrigin || port.hairpin || skb.dev !== port.dev);
  }

  /** `__br_forward` and `br_forward_finish`: past br_netfilter, then out. */
  private forwardTo(to: BridgePort, skb: Skb, localOrigin: boolean): void {
    skb.dev = to.dev;
    if (!localOrigin && brNfForward(this, to, skb)) return;
    this.forwardFinish(to, skb);
  }

  /** `br_forward_finish` → NF_BR_POST_ROUTING → `br_dev_queue_push_xmit` */
  forwardFinish(to: BridgePort, skb: Skb): void {
    if (brNfPostRouting(this, to, skb)) return;
    this.queuePushXmit(to, skb);
  }

  /** `br_dev_queue_push_xmit` */
  queuePushXmit(to: BridgePort, skb: Skb): void {
    if (!isForwardable(to.dev, skb)) {
      this.netns.drop(
        skb,
        "NOT_SPECIFIED",
        "br_dev_queue_push_xmit",
        null,
        `longer than the MTU of ${to.dev.name}`,
      );
      return;
    }
    devQueueXmit(skb);
  }

  /** `br_dev_xmit`: a frame of this namespace's own leaves by the bridge device. */
  transmit(skb: Skb): void {
    if (brNfDevXmit(this, skb)) return;
    const { dmac } = skb.packet;
    if (dmac === BROADCAST_MAC || Math.floor(dmac / 0x10000000000) & 1) {
      this.flood(skb, false, true);
      return;
    }
    const entry = this.fdb.find(dmac);
    if (entry === null) this.flood(skb, false, true);
    else if (entry.port !== null) this.forward(entry.port, skb, false, true);
    else this.netns.drop(skb, "NOT_SPECIFIED", "br_dev_xmit", null, "the frame is for the bridge itself");
  }

  /** Tells the recorder what became of a frame here. */
  report(
    skb: Skb,
    action: "learn" | "forward" | "flood" | "local" | "blocked" | "bridged-dnat",
    port: string,
    detail: string,
  ): void {
    const recorder = this.netns.network.recorder;
    if (recorder === null) return;
    recorder.record({
      type: "bridge",
      timeUs: this.netns.clock.nowUs,
      netns: this.netns.name,
      serial: skb.serial,
      bridge: this.name,
      action,
      port,
      detail,
    });
  }
}

const describeTarget = (dmac: number): string =>
  dmac === BROADCAST_MAC ? "broadcast" : "unknown destination";

/** A device enslaved to a bridge: `struct net_bridge_port`. */
export class BridgePort {
  readonly bridge: Bridge;
  readonly dev: NetDevice;
  /** BR_HAIRPIN_MODE: frames may leave by the port they came by. */
  hairpin: boolean;

  constructor(bridge: Bridge, dev: NetDevice, hairpin: boolean) {
    this.bridge = bridge;
    this.dev = dev;
    this.hairpin = hairpin;
  }

  /** BR_STATE_FORWARDING: without spanning tree a port forwards while its device is up and has carrier. */
  get forwarding(): boolean {
    return this.dev.up && this.dev.carrier;
  }
}
