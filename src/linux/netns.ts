import type { NetDevice } from "./device/device.ts";
import { Loopback } from "./device/loopback.ts";
import type { DropReason } from "./drop-reason.ts";
import { addAddress } from "./ip/address.ts";
import { arpReceive } from "./ip/arp.ts";
import { Defragmenter } from "./ip/defrag.ts";
import { Fib } from "./ip/fib.ts";
import { icmpSend } from "./ip/icmp.ts";
import { NeighbourTable } from "./ip/neighbour.ts";
import { PeerTable } from "./ip/peer.ts";
import { ipReceive } from "./ip/receive.ts";
import type { Ipvs } from "./ipvs/ipvs.ts";
import { HOOK_NAMES, type Hook } from "./netfilter/hooks.ts";
import { Netfilter } from "./netfilter/netfilter.ts";
import type { Network } from "./network.ts";
import type { OriginKind, Skb } from "./skb.ts";
import { SocketTable } from "./socket/socket-table.ts";
import { Sysctl } from "./sysctl.ts";

/** Where in a rule set a packet was let go of. */
export interface DropPlace {
  readonly hook: Hook;
  readonly table?: string;
  readonly chain?: string;
  readonly rule?: number;
}

/**
 * `struct net`: one network namespace. A holder of parts; what happens to a packet stands in device/, ip/,
 * netfilter/ and socket/. The three handlers below are the kernel's function pointers (packet types, icmp_send):
 * lower parts call upwards through them.
 */
export class Netns {
  readonly network: Network;
  readonly name: string;
  readonly sysctl = new Sysctl();
  readonly devices = new Map<string, NetDevice>();
  private readonly byIndex: (NetDevice | undefined)[] = [undefined];
  readonly fib: Fib;
  readonly neighbours: NeighbourTable;
  readonly peers: PeerTable;
  readonly defragmenter: Defragmenter;
  readonly netfilter: Netfilter;
  readonly sockets: SocketTable;
  /** IPVS; null until somebody makes virtual servers. */
  ipvs: Ipvs | null = null;
  readonly loopback: NetDevice;
  private readonly ipId = { last: 0 };

  readonly ipReceive = ipReceive;
  readonly arpReceive = arpReceive;
  readonly icmpSend = icmpSend;

  constructor(network: Network, name: string) {
    this.network = network;
    this.name = name;
    this.fib = new Fib(this);
    this.neighbours = new NeighbourTable(this);
    this.peers = new PeerTable(network.clock);
    this.defragmenter = new Defragmenter(this);
    this.netfilter = new Netfilter(this);
    this.sockets = new SocketTable(this);
    this.loopback = new Loopback(this);
    this.loopback.up = true;
    addAddress(this.loopback, { local: 0x7f000001, prefixLength: 8, scope: 254 });
  }

  get clock() {
    return this.network.clock;
  }

  get chooser() {
    return this.network.chooser;
  }

  /** Gives a new device its index. Throws RangeError when the name is taken. */
  register(dev: NetDevice): number {
    if (this.devices.has(dev.name)) throw new RangeError(`device ${dev.name} exists in ${this.name}`);
    this.devices.set(dev.name, dev);
    this.byIndex.push(dev);
    return this.byIndex.length - 1;
  }

  unregister(dev: NetDevice): void {
    this.devices.delete(dev.name);
    this.byIndex[dev.ifindex] = undefined;
  }

  /** The device of that name; throws RangeError when there is none. */
  device(name: string): NetDevice {
    const dev = this.devices.get(name);
    if (dev === undefined) throw new RangeError(`no device ${name} in ${this.name}`);
    return dev;
  }

  deviceByIndex(ifindex: number): NetDevice | null {
    return this.byIndex[ifindex] ?? null;
  }

  /** Identification of the next IP packet made here. */
  nextIpId(): number {
    this.network.clock.journal?.keep(this.ipId);
    this.ipId.last = (this.ipId.last + 1) & 0xffff;
    return this.ipId.last;
  }

  /** A packet is born here: it gets its number, and the recorder hears of it. */
  originate(skb: Skb, origin: OriginKind, cause: number): void {
    skb.serial = this.network.nextSerial();
    skb.origin = origin;
    skb.cause = cause;
    const recorder = this.network.recorder;
    if (recorder !== null) {
      recorder.record({
        type: "origin",
        timeUs: this.clock.nowUs,
        netns: this.name,
        serial: skb.serial,
        kind: origin,
        cause,
        packet: skb.packet.clone(),
      });
    }
  }

  /** `kfree_skb_reason`: the packet ends here. `location` is the kernel function that lets go of it. */
  drop(
    skb: Skb,
    reason: DropReason,
    location: string,
    place: DropPlace | null = null,
    detail: string | null = null,
  ): void {
    const recorder = this.network.recorder;
    if (recorder === null) return;
    recorder.record({
      type: "drop",
      timeUs: this.clock.nowUs,
      netns: this.name,
      serial: skb.serial,
      reason,
      location,
      device: skb.dev?.name ?? null,
      hook: place === null ? null : HOOK_NAMES[place.hook],
      table: place?.table ?? null,
      chain: place?.chain ?? null,
      rule: place?.rule ?? null,
      detail,
      packet: skb.packet.clone(),
    });
  }
}
